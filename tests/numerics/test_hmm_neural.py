"""The neural model in float64, against the dense recursions over its tables written out."""

import numpy as np
import pytest
import torch
from torch import Tensor

from nextchapter.models.hidden_markov import forward_backward
from nextchapter.models.hmm import Hmm, HmmSpec
from nextchapter.models.hmm_cloned import HmmCloned, HmmClonedSpec
from nextchapter.models.hmm_neural import HmmNeural, HmmNeuralSpec, context_vectors, order_by_context
from nextchapter.models.protocol import LanguageModel, count_parameters
from nextchapter.spec.models import FamilySpec
from nextchapter.tokens.stream import TokenStream

TOKENS, SHAPE = 11, HmmNeuralSpec(classes=3, states_per_class=4, rank=5, embedding=8, state_dropout=0.3)
EXACT = {"rtol": 1e-10, "atol": 1e-12}


@pytest.fixture
def model() -> HmmNeural:
    torch.manual_seed(4)
    return HmmNeural(TOKENS, SHAPE).double().eval()


def _sequences(batch: int, time: int) -> Tensor:
    return torch.randint(TOKENS, (batch, time), generator=torch.Generator().manual_seed(2))


def _dense_nats(model: HmmNeural, sequence: Tensor) -> Tensor:
    tables, everywhere = model.probabilities(), torch.ones_like(sequence, dtype=torch.bool)
    start = tables.start.expand(len(sequence), -1)
    return forward_backward(start, tables.transition, tables.emission, sequence, everywhere).nats[:, 1:]


def test_the_tables_are_distributions_over_blocks(model: HmmNeural) -> None:
    start, transition, emission = model.probabilities()
    torch.testing.assert_close(start.sum(), torch.tensor(1.0).double(), **EXACT)
    torch.testing.assert_close(transition.sum(dim=1), torch.ones(12).double(), **EXACT)
    torch.testing.assert_close(emission.sum(dim=0), torch.ones(12).double(), **EXACT)
    assert torch.linalg.matrix_rank(transition) == 5
    assert ((emission > 0).sum(dim=1) == 4).all()
    assert sorted(model.class_of.bincount().tolist()) == [3, 4, 4]


@torch.no_grad()
def test_scores_are_those_of_the_dense_recursion(model: HmmNeural) -> None:
    sequence = _sequences(3, 9)
    nats, _ = model.score(sequence[:, :-1], sequence[:, 1:], model.initial_state(3))
    torch.testing.assert_close(nats, _dense_nats(model, sequence), **EXACT)


def test_the_gradient_is_that_of_the_likelihood(model: HmmNeural) -> None:
    """Against differences of the dense score, at the greatest entries of each gradient."""
    sequence = _sequences(2, 7)
    nats, _ = model.score(sequence[:, :-1], sequence[:, 1:], model.initial_state(2))
    nats.sum().backward()  # type: ignore[no-untyped-call]
    for parameter in model.parameters():
        assert parameter.grad is not None
        place = int(parameter.grad.abs().argmax())
        reached = []
        for step in (1e-5, -2e-5, 1e-5):
            with torch.no_grad():
                parameter.view(-1)[place] += step
                reached.append(float(_dense_nats(model, sequence).sum()))
        difference = (reached[0] - reached[1]) / 2e-5
        assert float(parameter.grad.view(-1)[place]) == pytest.approx(difference, rel=1e-5, abs=1e-8)


@torch.no_grad()
def test_state_dropout_leaves_out_as_many_states_of_each_block_and_keeps_distributions(model: HmmNeural) -> None:
    torch.manual_seed(0)
    into = model.train().factors().into
    assert ((into == 0).all(dim=1).sum(dim=1) == 1).all()  # 0.3 of 4 states, rounded down
    torch.testing.assert_close(into.sum(dim=(0, 2)), torch.ones(5).double(), **EXACT)
    assert (model.eval().factors().into > 0).all()


def test_tokens_of_like_contexts_fall_into_the_same_class(model: HmmNeural) -> None:
    """Even and odd tokens take turns: what stands beside a token tells which it is."""
    tokens = 2 * np.random.default_rng(0).integers(0, 4, 4000) + np.arange(4000) % 2
    order = order_by_context(context_vectors(tokens, 8))
    assert sorted(order) == list(range(8))
    assert {tuple(sorted(order[:4])), tuple(sorted(order[4:]))} == {(0, 2, 4, 6), (1, 3, 5, 7)}
    model.prepare(TokenStream(tokens, np.array([0, len(tokens)])), end_of_chapter=0)
    sizes = model.class_of.bincount().tolist()
    assert sorted(sizes) == [3, 4, 4]
    assert len({*zip(model.class_of.tolist(), model.slot_of.tolist(), strict=True)}) == TOKENS


@pytest.mark.parametrize(
    ("family", "spec"),
    [(Hmm, HmmSpec(states=7)), (HmmCloned, HmmClonedSpec(states=30)), (HmmNeural, SHAPE)],
)
def test_the_numbers_of_weights_are_those_of_the_model(family: type[LanguageModel], spec: FamilySpec) -> None:
    assert count_parameters(family(TOKENS, spec)) == spec.weights(TOKENS).total
