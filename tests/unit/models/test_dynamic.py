"""Dynamic evaluation against a plain loop over its equation, with a copy of the network for each text."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from nextchapter.models.dynamic import EPSILON, LEARNING_RATES, Dynamic
from nextchapter.models.protocol import HiddenLanguageModel, LanguageModel, State, count_parameters, detach_state
from nextchapter.models.registry import build_model
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream

VOCABULARY, END = 9, 1
LSTM = {"kind": "lstm", "hidden": 6, "embedding": 4}
UNTIED = {"kind": "gru", "hidden": 5, "embedding": 4, "tied": False}


def _member(spec: dict[str, Any]) -> LanguageModel:
    torch.manual_seed(2)
    return build_model(spec, VOCABULARY).double().eval()


def _dynamic(spec: dict[str, Any] = LSTM, segment: int = 4, rate: float = 0.05, decay: float = 0.2) -> Dynamic:
    model = build_model({"kind": "dynamic", "of": "member", "segment": segment}, VOCABULARY, [_member(spec)])
    assert isinstance(model, Dynamic)
    model = model.double().eval()
    model.learning_rate.fill_(rate)
    model.decay.fill_(decay)
    model.rms.uniform_(0.05, 0.5, generator=torch.Generator().manual_seed(4))
    return model


def _stream(chapters: list[list[int]]) -> TokenStream:
    ended = [np.array([*chapter, END]) for chapter in chapters]
    return TokenStream(np.concatenate(ended).astype(np.uint16), np.cumsum([0, *map(len, ended)]))


def _rhyme(times: int) -> list[int]:
    return [2, 5, 3, 7, 8, 6, 4, 2, 8, 3] * times


def _naive(model: Dynamic, text: list[int]) -> list[float]:
    """Return -ln p of each token but the first: read a segment, score it, step by its gradient, go on."""
    network = copy.deepcopy(model.models[0])
    parameters, trained = list(network.parameters()), [one.clone() for one in model.models[0].parameters()]
    sizes = [one.numel() for one in parameters]
    rms = [part.view_as(one) for part, one in zip(model.rms.split(sizes), parameters, strict=True)]
    mean = sum(float(part.mean()) for part in rms) / len(rms)
    state, nats = network.initial_state(1), []
    for start in range(0, len(text) - 1, model.segment):
        piece = torch.tensor([text[start : start + model.segment + 1]])
        log_probs, state = network(piece[:, :-1], detach_state(state))
        losses = functional.nll_loss(log_probs[0], piece[0, 1:], reduction="none")
        nats += losses.tolist()
        gradients = [one.to_dense() for one in torch.autograd.grad(losses.mean(), parameters)]
        with torch.no_grad():
            for one, gradient, goal, scale in zip(parameters, gradients, trained, rms, strict=True):
                back = float(model.decay) * (scale / mean)
                one += back.clamp(max=1) * (goal - one) - float(model.learning_rate) * gradient / scale
    return nats


@pytest.mark.parametrize("spec", [LSTM, UNTIED])
@pytest.mark.parametrize("decay", [0.0, 0.2, 0.9])
def test_it_equals_the_equation_step_by_step(spec: dict[str, Any], decay: float) -> None:
    model, text = _dynamic(spec, decay=decay), _rhyme(3)[:27]
    tokens, targets = torch.tensor([text[:-1]]), torch.tensor([text[1:]])
    nats, state = model.score(tokens, targets, model.initial_state(1))
    expected = torch.tensor(_naive(model, text), dtype=torch.float64)
    torch.testing.assert_close(nats[0], expected, rtol=0, atol=1e-11)
    static, _ = model.models[0].score(tokens, targets, model.models[0].initial_state(1))
    torch.testing.assert_close(nats[:, :4], static[:, :4], rtol=0, atol=1e-12)
    assert (nats[:, 4:] - static[:, 4:]).abs().max() > 1e-3
    assert state.segment.tolist() == [text[24:26]]


def test_neither_the_trained_weights_nor_a_state_that_was_given_move() -> None:
    model, tokens = _dynamic(), torch.tensor([_rhyme(2)])
    before = {name: one.clone() for name, one in model.named_parameters()}
    _, state = model(tokens[:, :7], model.initial_state(1))
    kept = state.weights.clone()
    model(tokens[:, 7:], state)
    assert torch.equal(state.weights, kept)
    assert all(torch.equal(one, before[name]) for name, one in model.named_parameters())


def test_rms_is_that_of_the_gradients_over_training_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextchapter.models.dynamic.STATISTICS_ROWS", 2)
    model, text = _dynamic(), [*_rhyme(2), 3]
    model.prepare(_stream([text[:-1]]), END)
    network = copy.deepcopy(model.models[0])
    parameters, states, squares = list(network.parameters()), network.initial_state(2), []
    rows = torch.tensor([[*_rhyme(2), END][start : start + 9] for start in (0, 12)])
    for start in (0, 4):
        nats, states = network.score(rows[:, start : start + 4], rows[:, start + 1 : start + 5], detach_state(states))
        gradients = torch.autograd.grad(nats.mean(), parameters)
        squares.append([one.to_dense().square() for one in gradients])
    roots = [(0.5 * (first + second)).sqrt() for first, second in zip(*squares, strict=True)]
    mean = sum(float(root.mean()) for root in roots) / len(roots)
    expected = torch.cat([root.flatten() for root in roots]) + EPSILON * mean
    torch.testing.assert_close(model.rms, expected, rtol=0, atol=1e-12)


def test_fitted_it_learns_a_text_that_repeats_itself() -> None:
    model = _dynamic(segment=5)
    rhymes = _stream([_rhyme(12), _rhyme(12)])
    model.prepare(rhymes, END)
    model.fit(rhymes, END)
    assert float(model.learning_rate) in LEARNING_RATES
    static = sum(chapter.sum() for chapter in score_chapters(model.models[0], rhymes, END, 2, 50))
    adapted = sum(chapter.sum() for chapter in score_chapters(model, rhymes, END, 2, 50))
    assert adapted < static - 3
    assert count_parameters(model) == count_parameters(model.models[0]) + 2


def test_a_rate_of_0_is_chosen_where_nothing_can_be_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextchapter.models.dynamic.LEARNING_RATES", (5.0, 9.0))
    model = _dynamic()
    model.fit(_stream([np.random.default_rng(3).integers(2, VOCABULARY, 60).tolist()]), END)
    assert float(model.learning_rate) == 0


def test_rows_with_weights_of_their_own_are_scored_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    initial_state = Dynamic.initial_state

    def count_rows(self: Dynamic, batch: int) -> State:
        asked.append(batch)
        return initial_state(self, batch)

    monkeypatch.setattr(Dynamic, "initial_state", count_rows)
    inside = build_model({"kind": "cache", "of": "member", "size": 3}, VOCABULARY, [_dynamic()]).double()
    score_chapters(inside, _stream([_rhyme(1), _rhyme(2)]), END, 16, 50)
    assert asked == [1, 1]


def test_a_cache_in_front_of_it_stores_the_vectors_of_its_member() -> None:
    model = _dynamic(rate=0.0)
    (member,), tokens = model.models, torch.tensor([_rhyme(1)])
    assert isinstance(member, HiddenLanguageModel)
    _, hidden, _ = model.forward_with_hidden(tokens, model.initial_state(1))
    expected, _ = member.read(tokens, member.initial_state(1))
    torch.testing.assert_close(hidden, expected)
    assert model.hidden_width == 6


def test_a_member_without_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="found Uniform; it must have weights that a gradient can move"):
        build_model({"kind": "dynamic", "of": "member"}, VOCABULARY, [_member({"kind": "uniform"})])
