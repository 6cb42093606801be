"""What stands for the cross-entropy in training, against the whole softmax of the same weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nextchapter.models.registry import build_model
from nextchapter.models.softmax import SoftmaxLanguageModel
from nextchapter.spec.training import TrainingSpec
from nextchapter.tokens.stream import TokenStream, write_stream
from nextchapter.training.batches import StreamBatches
from nextchapter.training.losses.sampled import SampledLoss, inclusion_probabilities, log_uniform
from nextchapter.training.losses.smoothed import SmoothedLoss

VOCABULARY, END = 30, 1
MODELS: list[dict[str, Any]] = [
    {"kind": "lstm", "hidden": 12, "embedding": 8},
    {"kind": "gru", "hidden": 12, "embedding": 8, "tied": False},
    {"kind": "feed-forward", "hidden": 12, "embedding": 8, "direct": True},
]


@pytest.fixture
def stream(tmp_path: Path) -> TokenStream:
    return write_stream(tmp_path / "train.bin", [[2] * 50 + [3] * 20 + list(range(4, 20))], END, "uint16")


def sampled(stream: TokenStream, spec: dict[str, Any], **keys: Any) -> tuple[SampledLoss, SoftmaxLanguageModel]:
    torch.manual_seed(2)
    model = build_model(spec, VOCABULARY).double()
    assert isinstance(model, SoftmaxLanguageModel)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return SampledLoss(model, TrainingSpec(**keys), StreamBatches(stream, END, 2, 8, seed=0)), model


def places(model: SoftmaxLanguageModel) -> tuple[Tensor, Tensor]:
    hidden = torch.randn(3, 5, model.hidden_width, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, VOCABULARY, (3, 5))
    targets[1, 3:] = -100
    return hidden, targets


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec["kind"])
def test_with_as_many_draws_as_tokens_it_is_the_whole_softmax_in_value_and_gradient(
    stream: TokenStream, spec: dict[str, Any]
) -> None:
    loss, model = sampled(stream, spec, sampled_softmax=VOCABULARY)
    hidden, targets = places(model)
    sources = [hidden, model.get_parameter("output.weight"), model.get_parameter("output.bias")]
    nats, extra = loss(hidden, targets)
    exact = model.cross_entropy(hidden, targets)
    assert extra == 0.0
    torch.testing.assert_close(nats, exact, rtol=1e-6, atol=1e-6)  # the inclusion probabilities are float32
    mine, whole = (torch.autograd.grad(values.sum(), sources) for values in (nats, exact))
    dense = [gradient.to_dense() if gradient.is_sparse else gradient for gradient in mine]
    torch.testing.assert_close(dense, list(whole), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("spec", [*MODELS, {**MODELS[0], "embedding": 12}], ids=str)
def test_gradients_by_rows_are_those_of_whole_tables(stream: TokenStream, spec: dict[str, Any]) -> None:
    gradients = []
    for optimiser in ("adamw", "sgd"):
        loss, model = sampled(stream, {**spec, "dropout": 0.0}, sampled_softmax=9, optimiser=optimiser)
        tokens = torch.tensor([[3, 5, 3], [19, 1, 2]])
        hidden, _ = model.read(tokens, model.initial_state(2))
        torch.manual_seed(5)
        loss(hidden, tokens.roll(-1, 1))[0].sum().backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    by_rows, whole = gradients
    assert by_rows.keys() == whole.keys()
    for name, gradient in by_rows.items():
        assert gradient is not None
        torch.testing.assert_close(gradient.to_dense() if gradient.is_sparse else gradient, whole[name])
    assert by_rows["embedding.weight"].is_sparse != bool(spec.get("direct"))  # W and U side by side are no table


@pytest.mark.parametrize("sampled_from", ["unigram", "log-uniform"])
def test_the_denominator_is_right_on_average(stream: TokenStream, sampled_from: Any) -> None:
    """E[Z] = sum over the vocabulary of exp(z), target included, however often it is drawn itself."""
    loss, model = sampled(stream, MODELS[0], sampled_softmax=12, sampled_from=sampled_from)
    with torch.no_grad():
        hidden, targets = places(model)
        hidden = hidden * 0.3
        logits = model.logits(hidden)
        own = logits.gather(-1, targets.clamp_min(0)[..., None])[..., 0]
        draws = torch.stack([torch.exp(loss(hidden, targets)[0] + own) for _ in range(4000)])
    kept, whole = targets >= 0, logits.exp().sum(dim=-1)
    error = (draws.mean(dim=0) - whole)[kept].abs() / (draws.std(dim=0)[kept] / 4000**0.5)
    assert error.max() < 4.5
    assert (draws.std(dim=0) / whole)[kept].min() > 0.01


def test_fewer_draws_give_a_lower_estimate_of_the_same_loss(stream: TokenStream) -> None:
    loss, model = sampled(stream, MODELS[0], sampled_softmax=25)
    with torch.no_grad():
        hidden, targets = places(model)
        nats = torch.stack([loss(hidden * 0.3, targets)[0] for _ in range(500)]).mean(dim=0)
        exact = model.cross_entropy(hidden * 0.3, targets)
    assert nats[1, 3] == 0
    assert (nats <= exact + 0.05).all()
    assert (exact - nats).abs().max() < 0.5


def test_inclusion_probabilities_follow_the_proposal_up_to_one_and_add_up_to_the_draws() -> None:
    proposal = torch.tensor([50.0, 1, 30, 2, 2, 5, 10], dtype=torch.float64)
    found = inclusion_probabilities(proposal, 3)
    assert found.sum().item() == pytest.approx(3)
    assert found[0] == 1
    free = found < 1
    assert torch.allclose(found[free] / proposal[free], (found[free] / proposal[free])[0])
    assert (found[free][0] / proposal[free][0]) * proposal[~free].min() >= 1
    assert torch.equal(inclusion_probabilities(proposal, 7), torch.ones(7, dtype=torch.float64))


def test_the_log_uniform_distribution_is_that_of_tensorflow() -> None:
    """P(j) = (ln(j + 2) - ln(j + 1)) / ln(V + 1), by its sum."""
    assert log_uniform(999).sum().item() == pytest.approx(6.907755278982137)
    assert log_uniform(3)[1].item() == pytest.approx(0.4054651081081644)


@pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec["kind"])
def test_a_smoothed_loss_is_torchs_and_reports_the_nats_of_the_target(
    stream: TokenStream, spec: dict[str, Any]
) -> None:
    _, model = sampled(stream, spec, sampled_softmax=3)
    loss = SmoothedLoss(model, TrainingSpec(label_smoothing=0.2), StreamBatches(stream, END, 2, 8, seed=0))
    hidden, targets = places(model)
    nats, extra = loss(hidden, targets)
    torch.testing.assert_close(nats, model.cross_entropy(hidden, targets))
    expected = functional.cross_entropy(
        model.logits(hidden).flatten(0, 1), targets.flatten(), label_smoothing=0.2, reduction="sum"
    )
    torch.testing.assert_close(nats.sum() + extra, expected)
