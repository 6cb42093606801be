from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.models.registry import build_model, load_model, save_model
from nextchapter.models.starting import start_vectors, token_vectors
from nextchapter.tokens.stream import write_stream

NETWORKS: list[dict[str, Any]] = [
    {"kind": kind, "hidden": hidden, "embedding": 8, "tied": tied, "dropout": 0.0}
    for kind in ("elman", "gru", "lstm", "feed-forward")
    for hidden, tied in ((8, True), (12, False))
]
SPEC = {"kind": "lstm", "hidden": 12, "embedding": 8, "dropout": 0.0}


def _model(vocabulary_size: int = 50, **changes: object) -> RecurrentLanguageModel:
    torch.manual_seed(1)
    model = build_model({**SPEC, **changes}, vocabulary_size)
    assert isinstance(model, RecurrentLanguageModel)
    return model


class OneHotProduct(nn.Embedding):
    """A table of vectors that is read by the product with one-hot rows, as the classic networks have it."""

    def __init__(self, weight: nn.Parameter) -> None:
        """Take the matrix."""
        super().__init__(*weight.shape)
        self.weight = weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Return one-hot rows times the matrix [batch time state]."""
        return functional.one_hot(tokens, len(self.weight)).to(self.weight) @ self.weight


@pytest.mark.parametrize("frozen_share", [0.0, 0.4])
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: "-".join(map(str, spec.values())))
def test_a_network_that_looks_vectors_up_is_the_network_that_multiplies_by_one_hot_rows(
    spec: dict[str, Any], frozen_share: float
) -> None:
    """The loss and the gradient of every weight are equal; a token that was not read has a gradient of zero."""
    read = int(50 * (1 - frozen_share))
    tokens, targets = torch.randint(read, (2, 4, 9), generator=torch.Generator().manual_seed(0))
    losses, gradients = [], []
    for multiplies in (False, True):
        torch.manual_seed(1)
        model = build_model(spec, 50).double()
        if multiplies:
            model.embedding = OneHotProduct(model.embedding.weight)  # type: ignore[assignment, arg-type]
        nats, _ = model.score(tokens, targets, model.initial_state(4))
        nats.sum().backward()
        losses.append(nats.detach())
        gradients.append({name: weight.grad for name, weight in model.named_parameters()})
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-13, atol=0)
    assert gradients[0].keys() == gradients[1].keys() >= {"embedding.weight"}
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=1e-11, atol=1e-13)
    table = gradients[0]["embedding.weight"]
    assert table is not None
    is_output = spec.get("tied", True)
    assert bool((table[read:] == 0).all()) == (not is_output or read == 50)
    assert bool(table[tokens.unique()].any(dim=1).all())


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


@pytest.mark.parametrize("kind", ["elman", "feed-forward"])
def test_a_network_starts_with_the_frequencies_of_the_training_split(tmp_path: Path, kind: str) -> None:
    stream = write_stream(tmp_path / "train.bin", [[2] * 6 + [3] * 2, [4]], 1, "uint16")  # and 1 after each chapter
    model, plain = (
        build_model({"kind": kind, "output_bias": start, "hidden": 4, "embedding": 4}, 6)
        for start in ("counts", "zeros")
    )
    for network in (model, plain):
        network.prepare(stream, 1)
    expected = torch.tensor([0, 2, 6, 2, 1, 0]).add(1).div(11 + 6).log()
    torch.testing.assert_close(model.get_parameter("output.bias").detach(), expected)
    assert not plain.get_parameter("output.bias").any()
