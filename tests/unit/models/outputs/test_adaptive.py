from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from nextchapter.models.gru import GruSpec
from nextchapter.models.outputs.adaptive import AdaptiveOutput
from nextchapter.models.protocol import IGNORED, count_parameters
from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.models.registry import build_model
from nextchapter.spec.base import SpecError
from nextchapter.spec.models import AdaptiveSpec
from nextchapter.tokens.stream import write_stream

VOCABULARY = 40
SPEC: dict[str, Any] = {
    "kind": "gru", "hidden": 16, "embedding": 6, "tied": False, "adaptive": {"cutoffs": [5, 20, 1000], "divisor": 2},
}  # fmt: skip


def build() -> tuple[RecurrentLanguageModel, AdaptiveOutput]:
    torch.manual_seed(1)
    model = build_model(SPEC, VOCABULARY).double()
    assert isinstance(model, RecurrentLanguageModel)
    assert isinstance(model.output, AdaptiveOutput)
    return model, model.output


def test_probabilities_are_those_of_cluster_and_token(tmp_path: Path) -> None:
    """Equation by equation: softmax over frequent tokens and clusters, times softmax within the cluster."""
    model, output = build()
    counts = torch.randperm(VOCABULARY)
    stream = write_stream(
        tmp_path / "t.bin", [torch.arange(VOCABULARY).repeat_interleave(counts).tolist()], 0, "uint16"
    )
    model.prepare(stream, 0)
    by_frequency = sorted(range(VOCABULARY), key=lambda token: (-int(stream.counts(VOCABULARY)[token]), token))
    hidden = torch.randn(2, 3, 16, dtype=torch.float64)
    head = functional.log_softmax(output.layer.head(hidden), dim=-1)
    pieces = [head[..., :5]]
    for cluster, tail in enumerate(output.layer.tail):
        pieces.append(head[..., 5 + cluster, None] + functional.log_softmax(tail(hidden), dim=-1))
    by_rank = torch.cat(pieces, dim=-1)
    expected = torch.empty_like(by_rank)
    expected[..., by_frequency] = by_rank
    torch.testing.assert_close(model.predict(hidden), expected)
    torch.testing.assert_close(expected.exp().sum(dim=-1), torch.ones(2, 3, dtype=torch.float64))


def test_the_charge_is_the_prediction_of_the_target_in_value_and_gradient() -> None:
    model, _ = build()
    hidden = torch.randn(3, 4, 16, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, VOCABULARY, (3, 4))
    targets[1, 2:] = IGNORED
    kept = targets != IGNORED
    expected = -model.predict(hidden).gather(-1, targets.clamp_min(0)[..., None])[..., 0] * kept
    nats = model.cross_entropy(hidden, targets)
    torch.testing.assert_close(nats, expected)
    sources = [hidden, *model.output.parameters()]
    torch.testing.assert_close(torch.autograd.grad(nats.sum(), sources), torch.autograd.grad(expected.sum(), sources))


def test_the_number_of_weights_is_known_beforehand() -> None:
    model, _ = build()
    assert GruSpec.model_validate(SPEC).weights(VOCABULARY).total == count_parameters(model)


def test_cutoffs_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"cutoffs: found \[20, 5\]; each must be above the one before"):
        AdaptiveSpec(cutoffs=(20, 5))
    with pytest.raises(ValueError, match=r"adaptive\.cutoffs: found \[50\]; one must be below 40"):
        build_model({**SPEC, "adaptive": {"cutoffs": [50]}}, VOCABULARY)
    with pytest.raises(
        SpecError, match=r"adaptive\.divisor: found 4; with 3 clusters and hidden 16 it must be at most 2"
    ):
        build_model({**SPEC, "adaptive": {"cutoffs": [5, 10, 15]}}, VOCABULARY)


def test_a_guess_at_the_vocabulary_below_all_cutoffs_has_weights_too() -> None:
    """Of letters few are reckoned with, though Chinese has thousands."""
    spec = GruSpec.model_validate({**SPEC, "adaptive": {"cutoffs": [1000]}})
    assert spec.weights(350) == spec.weights(1001)
    with pytest.raises(ValueError, match="tied: found true; an adaptive softmax has matrices of its own"):
        build_model({**SPEC, "tied": True}, VOCABULARY)
