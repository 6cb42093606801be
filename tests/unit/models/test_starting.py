import pytest
import torch
from torch import nn
from torch.nn import functional

from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.models.registry import build_model, load_model, save_model
from nextchapter.models.starting import start_vectors, token_vectors

SPEC = {"kind": "lstm", "hidden": 12, "embedding": 8, "dropout": 0.0}


def _model(vocabulary_size: int = 50, **changes: object) -> RecurrentLanguageModel:
    torch.manual_seed(1)
    model = build_model({**SPEC, **changes}, vocabulary_size)
    assert isinstance(model, RecurrentLanguageModel)
    return model


def test_looking_up_a_vector_is_the_product_of_one_hot_and_matrix_in_value_and_gradient() -> None:
    """A matrix of one-hot rows is never made: choosing the row is the same product, summed over no zeros."""
    tokens = torch.randint(50, (4, 9), generator=torch.Generator().manual_seed(0))
    looked_up, multiplied = (_model().embedding.weight.detach().double().requires_grad_() for _ in range(2))
    weights = torch.randn(4, 9, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    by_index = functional.embedding(tokens, looked_up)
    by_product = torch.eye(50, dtype=torch.float64)[tokens] @ multiplied
    assert torch.equal(by_index, by_product)
    (by_index * weights).sum().backward()
    (by_product * weights).sum().backward()
    torch.testing.assert_close(looked_up.grad, multiplied.grad, rtol=0, atol=1e-14)
    assert torch.equal(_model().embedding(tokens), functional.embedding(tokens, _model().embedding.weight))


@pytest.mark.parametrize("tied", [True, False])
def test_known_tokens_start_from_their_vectors_and_the_others_at_random(tied: bool) -> None:
    model, fresh = _model(tied=tied), _model(tied=tied)
    vectors = 30 * torch.randn(50, 8, generator=torch.Generator().manual_seed(2)) + 5
    known = torch.arange(50) % 3 > 0
    start_vectors(model, vectors, known)
    assert torch.equal(model.embedding.weight[~known], fresh.embedding.weight[~known])
    started = model.embedding.weight[known].detach()
    assert float(started.square().mean()) == pytest.approx(1 / 8, rel=1e-5)
    centred = vectors[known] - vectors[known].mean(dim=0)
    torch.testing.assert_close(functional.cosine_similarity(started, centred), torch.ones(int(known.sum())))
    assert (model.output.weight is model.embedding.weight) == tied
    assert torch.equal(model.output.weight[~known], fresh.output.weight[~known])


def test_nothing_known_changes_nothing() -> None:
    model = _model()
    start_vectors(model, torch.zeros(50, 8), torch.zeros(50, dtype=torch.bool))
    assert torch.equal(model.embedding.weight, _model().embedding.weight)


def test_vectors_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(50, 9\) do not fit token vectors of shape \(50, 8\)"):
        start_vectors(_model(), torch.zeros(50, 9), torch.ones(50, dtype=torch.bool))


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_both_random_starts_have_the_variance_of_their_width(distribution: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = _model(20_000, embedding_init=distribution)
    weights = model.embedding.weight
    assert float(weights.detach().var()) == pytest.approx(1 / 8, rel=0.02)
    fourth = float((weights.detach() ** 4).mean() / weights.detach().var() ** 2)
    assert fourth == pytest.approx({"normal": 3.0, "uniform": 1.8}[distribution], rel=0.03)
    save_model(tmp_path / "m", model, {**SPEC, "embedding_init": distribution})
    assert torch.equal(token_vectors(load_model(tmp_path / "m")), weights)


def test_a_model_without_a_table_has_no_token_vectors() -> None:
    model = _model()
    model.embedding = nn.Identity()  # type: ignore[assignment]
    assert token_vectors(model) is None
