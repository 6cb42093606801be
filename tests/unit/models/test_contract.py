"""What every model must hold to, whatever stands behind its State."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nextchapter.models import cache
from nextchapter.models.dynamic import Adapted, Dynamic
from nextchapter.models.ensemble import Ensemble
from nextchapter.models.protocol import IGNORED, CountedModel, LanguageModel, State, Wrapper, map_state
from nextchapter.models.registry import build_model, load_model, read_header, save_model, set_weights
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream, write_stream

VOCABULARY = 23
SHAPE = {"hidden": 12, "embedding": 8, "layers": 2, "dropout": 0.3}
SPECS = {
    "elman-tanh": {"kind": "elman", "activation": "tanh", **SHAPE},
    "elman-relu": {"kind": "elman", "activation": "relu", **SHAPE},
    "elman-sigmoid": {"kind": "elman", "activation": "sigmoid", **SHAPE},
    "gru": {"kind": "gru", **SHAPE},
    "lstm": {"kind": "lstm", **SHAPE},
    "lstm-untied-deep": {"kind": "lstm", **SHAPE, "tied": False, "layers": 3},
    "gru-tied-equal": {"kind": "gru", **SHAPE, "hidden": 8, "layers": 1},
    "lstm-adaptive": {"kind": "lstm", **SHAPE, "tied": False, "adaptive": {"cutoffs": [4, 11], "divisor": 2}},
    "mingru": {"kind": "mingru", **SHAPE},
    "minlstm": {"kind": "minlstm", **SHAPE},
    "elman-identity": {"kind": "elman", "activation": "relu", "recurrent_init": "identity", **SHAPE},
    "gru-orthogonal": {"kind": "gru", "recurrent_init": "orthogonal", **SHAPE},
    "lstm-chrono": {"kind": "lstm", "chrono_steps": 50, "recurrent_init": "normal", **SHAPE},
    "mogrifier": {"kind": "mogrifier", **SHAPE},
    "mogrifier-low-rank": {"kind": "mogrifier", **SHAPE, "rounds": 4, "rank": 3},
    "rlstm": {"kind": "rlstm", **SHAPE},
    "slstm": {"kind": "slstm", **SHAPE},
    "slstm-heads-exp": {"kind": "slstm", **SHAPE, "heads": 3, "forget_gate": "exp"},
    "hmm": {"kind": "hmm", "states": 7},
    "hmm-cloned": {"kind": "hmm-cloned", "states": 60},
    "hmm-neural": {"kind": "hmm-neural", "classes": 5, "states_per_class": 4, "rank": 6, "embedding": 8},
    "feed-forward": {"kind": "feed-forward", "order": 4, "hidden": 12, "embedding": 8, "dropout": 0.3},
    "feed-forward-direct": {"kind": "feed-forward", "order": 2, "hidden": 12, "tied": False, "direct": True},
    "ngram-1": {"kind": "ngram", "order": 1},
    "ngram-2": {"kind": "ngram", "order": 2},
    "ngram-5": {"kind": "ngram", "order": 5},
    "unigram": {"kind": "unigram"},
    "uniform": {"kind": "uniform"},
}
WRAPPED = {
    "cache-of-lstm": ("lstm",),
    "cache-of-feed-forward": ("feed-forward-direct",),
    "cache-of-hmm": ("hmm",),
    "cache-of-ngram": ("ngram-5",),
    "cache-of-ensemble": ("ensemble-of-three",),
    "ensemble-of-three": ("lstm", "ngram-2", "hmm"),
    "ensemble-of-wrappers": ("cache-of-lstm", "ensemble-of-three"),
    "dynamic-of-lstm": ("lstm",),
    "dynamic-of-untied": ("lstm-untied-deep",),
    "dynamic-of-adaptive": ("lstm-adaptive",),
    "dynamic-of-mogrifier": ("mogrifier",),
    "dynamic-of-feed-forward": ("feed-forward",),
    "dynamic-of-hmm-neural": ("hmm-neural",),
    "cache-of-dynamic": ("dynamic-of-lstm",),
    "ensemble-of-dynamic": ("dynamic-of-lstm", "ngram-2"),
}
WRAPPERS = {
    "cache": {"kind": "cache", "of": "member", "size": 4},
    "dynamic": {"kind": "dynamic", "of": "member", "segment": 3},
    "ensemble": {"kind": "ensemble", "members": ("one", "other")},
}
SPECS |= {name: WRAPPERS[name.partition("-of-")[0]] for name in WRAPPED}
OWN = {
    "interpolation": 0.4,
    "theta": 0.7,
    "decay": 0.1,
    "weights": [0.5, 0.3, 0.2],
    "learning_rate": 0.02,
    "rms": [0.3],
}
EXACT = {"rtol": 0, "atol": 1e-12}  # float64: sums in another order differ by less


@pytest.fixture(params=list(SPECS))
def model(request: pytest.FixtureRequest) -> LanguageModel:
    return _build(request.param).eval()


def _build(name: str) -> LanguageModel:
    """Return a model in float64, fitted to a few chapters if it is one that counts, with shares if made of others."""
    members = [_build(member) for member in WRAPPED.get(name, ())]
    torch.manual_seed(3)
    model = build_model(SPECS[name], VOCABULARY, members or None).double()
    if isinstance(model, CountedModel):
        model.fit(_chapters(), 1)
    for own in model.tables if isinstance(model, Wrapper) else ():
        value = torch.tensor(OWN[own], dtype=torch.float64)
        buffer = model.get_buffer(own)
        buffer.copy_(value[: len(buffer)] / value[: len(buffer)].sum() if buffer.ndim else value)
    if isinstance(model, Dynamic):
        model.rms.uniform_(0.1, 0.3)
    return model


def _header(name: str) -> dict[str, Any]:
    """Return what the file of a model says of it."""
    members = [_header(member) for member in WRAPPED.get(name, ())]
    return {"model": SPECS[name], "vocabulary_size": VOCABULARY} | ({"members": members} if members else {})


def _chapters() -> TokenStream:
    """Return chapters that hold much of what the tests' tokens hold."""
    lengths = np.array([0, 40, 60, 90, 140])
    tokens = torch.cat([_tokens(4, 7).flatten(), _tokens(2, 12).flatten(), _tokens(1, 88)[0]]).numpy()
    tokens[lengths[1:] - 1] = 1
    return TokenStream(tokens.astype(np.uint16), lengths)


def _tokens(batch: int, time: int) -> torch.Tensor:
    return torch.randint(VOCABULARY, (batch, time), generator=torch.Generator().manual_seed(1))


def test_probabilities_sum_to_one(model: LanguageModel) -> None:
    log_probs, _ = model(_tokens(3, 7), model.initial_state(3))
    assert log_probs.shape == (3, 7, VOCABULARY)
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(3, 7).double(), **EXACT)


def test_forward_equals_repeated_step_prepared_or_not(model: LanguageModel) -> None:
    tokens = _tokens(3, 7)
    whole, last = model(tokens, model.initial_state(3))
    prepared = model.prepared_step()
    for step in (model.step, lambda token, state: prepared(token.tolist(), state)):
        state, steps = model.initial_state(3), []
        for time in range(7):
            log_probs, state = step(tokens[:, time], state)
            steps.append(log_probs)
        torch.testing.assert_close(torch.stack(steps, dim=1), whole, **EXACT)
        torch.testing.assert_close(state, last, **EXACT)


def test_score_is_the_log_probability_of_the_target_and_nothing_where_none_stands(model: LanguageModel) -> None:
    tokens, targets = _tokens(2, 9), _tokens(2, 10)[:, 1:].clone()
    targets[1, 4:] = IGNORED
    nats, state = model.score(tokens, targets, model.initial_state(2))
    log_probs, last = model(tokens, model.initial_state(2))
    by_hand = torch.stack([
        torch.stack([
            torch.tensor(0.0).double() if target == IGNORED else -log_probs[row, time, target]
            for time, target in enumerate(targets[row].tolist())
        ])
        for row in range(2)
    ])  # fmt: skip
    torch.testing.assert_close(nats, by_hand, **EXACT)
    default, _ = LanguageModel.score(model, tokens, targets, model.initial_state(2))
    torch.testing.assert_close(nats, default, **EXACT)
    torch.testing.assert_close(state, last, **EXACT)


def test_a_sequence_in_chunks_equals_the_sequence_whole(model: LanguageModel) -> None:
    tokens, targets = _tokens(2, 11), _tokens(2, 12)[:, 1:]
    whole, last = model.score(tokens, targets, model.initial_state(2))
    state, parts = model.initial_state(2), []
    for start, stop in ((0, 1), (1, 6), (6, 11)):
        nats, state = model.score(tokens[:, start:stop], targets[:, start:stop], state)
        parts.append(nats)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, **EXACT)
    torch.testing.assert_close(state, last, **EXACT)


def test_rows_of_a_batch_do_not_touch_each_other(model: LanguageModel) -> None:
    tokens = _tokens(4, 6)
    whole, last = model(tokens, model.initial_state(4))
    alone, state = model(tokens[2:3], map_state(lambda tensor: tensor[2:3], model.initial_state(4)))
    torch.testing.assert_close(alone, whole[2:3], **EXACT)
    torch.testing.assert_close(state, map_state(lambda tensor: tensor[2:3], last), **EXACT)


def test_the_score_of_a_stream_does_not_depend_on_batch_size_or_chunks(model: LanguageModel, tmp_path: Path) -> None:
    chapters = [_tokens(1, length)[0].tolist() for length in (17, 1, 0, 30, 5)]
    stream = write_stream(tmp_path / "test.bin", chapters, end_of_chapter=1, dtype="uint16")
    reference = [_score_alone(model, stream.chapter(index).tolist()) for index in range(5)]
    for batch_size, chunk_tokens in ((1, 1000), (2, 7), (5, 1), (3, 30)):
        nats = score_chapters(model.train(), stream, 1, batch_size, chunk_tokens)
        assert model.training
        for scored, expected in zip(nats, reference, strict=True):
            torch.testing.assert_close(torch.from_numpy(scored), expected, **EXACT)


def _score_alone(model: LanguageModel, chapter: list[int]) -> torch.Tensor:
    log_probs, _ = model.eval()(torch.tensor([[1, *chapter[:-1]]]), model.initial_state(1))
    return torch.stack([-log_probs[0, time, token] for time, token in enumerate(chapter)]).detach()


@pytest.mark.parametrize("name", list(SPECS))
def test_save_then_load_is_bit_identical_and_so_are_the_files(name: str, tmp_path: Path) -> None:
    model = _build(name).float().eval()
    save_model(tmp_path / "a", model, SPECS[name], _header(name).get("members"))
    loaded = load_model(tmp_path / "a")
    save_model(tmp_path / "b", loaded, SPECS[name], read_header(tmp_path / "a").get("members"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    tokens = _tokens(2, 5)
    assert torch.equal(model(tokens, model.initial_state(2))[0], loaded(tokens, loaded.initial_state(2))[0])


def test_no_model_looks_ahead(model: LanguageModel) -> None:
    _check_foresight(model)


def _check_foresight(model: LanguageModel) -> None:
    """Fail if what a model says at any place depends on what stands behind it, in this chunk or another."""
    tokens, targets = _tokens(2, 12), _tokens(2, 13)[:, 1:]
    log_probs, _ = model(tokens, model.initial_state(2))
    nats, _ = model.score(tokens, targets, model.initial_state(2))
    for place in (1, 3, 4, 8, 11):
        other, others = tokens.clone(), targets.clone()
        other[:, place:] = (other[:, place:] + 5) % VOCABULARY
        others[:, place:] = (others[:, place:] + 5) % VOCABULARY
        torch.testing.assert_close(model(other, model.initial_state(2))[0][:, :place], log_probs[:, :place], **EXACT)
        changed, _ = model.score(other, others, model.initial_state(2))
        torch.testing.assert_close(changed[:, :place], nats[:, :place], **EXACT)


class LearnsFirst(Dynamic):
    """A planted leak: it learns from a text before it says how probable that text was."""

    def _read_row(
        self, method: str, state: Adapted, *texts: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, Adapted]:
        _, _, learnt = super()._read_row(method, state, *texts)
        return super()._read_row(method, state._replace(weights=learnt.weights), *texts)


class StoresFirst(cache.Cache):
    """A planted leak: the token behind a vector is stored with it before it is foreseen."""

    def forward(self, tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cache, "recall", _recall_the_present)
            return super().forward(tokens, state)


def _recall_the_present(*arguments: Any) -> Iterator[cache.Recall]:
    for block in RECALL(*arguments):
        yield block._replace(is_stored=block.age >= 0)


RECALL = cache.recall


class WeighsByTheText(Ensemble):
    """A planted leak: the weights follow from how well each member foresees the very text."""

    def score(self, tokens: torch.Tensor, targets: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        totals = [member.score(tokens, targets, old)[0].sum() for member, old in zip(self.models, state, strict=True)]
        self.weights.copy_(-torch.stack(totals).softmax(dim=0) + 1)
        return super().score(tokens, targets, state)


@pytest.mark.parametrize(
    ("name", "leaky"),
    [
        ("dynamic-of-lstm", LearnsFirst),
        ("cache-of-lstm", StoresFirst),
        ("cache-of-ngram", StoresFirst),
        ("ensemble-of-dynamic", WeighsByTheText),
    ],
)
def test_a_planted_leak_is_caught(name: str, leaky: type[Wrapper]) -> None:
    model = _build(name).eval()
    model.__class__ = leaky
    with pytest.raises(AssertionError, match="not close"), torch.no_grad():
        _check_foresight(model)


@pytest.mark.parametrize("wrapper", ["cache", "ensemble"])
def test_a_planted_leak_is_caught_inside_of_other_wrappers(wrapper: str) -> None:
    leaky = _build("dynamic-of-lstm").eval()
    leaky.__class__ = LearnsFirst
    members = [leaky, _build("ngram-2")][: 1 if wrapper == "cache" else 2]
    with pytest.raises(AssertionError, match="not close"):
        _check_foresight(build_model(WRAPPERS[wrapper], VOCABULARY, members).double().eval())


def test_weights_that_do_not_fit_are_refused() -> None:
    small, large = build_model(SPECS["gru"], VOCABULARY), build_model({**SPECS["gru"], "hidden": 13}, VOCABULARY)
    with pytest.raises(ValueError, match=r"found shape .*; must be"):
        set_weights(large, {name: tensor.detach() for name, tensor in small.named_parameters()})
    with pytest.raises(ValueError, match="do not fit"):
        set_weights(large, {})


def _untrained(name: str) -> LanguageModel:
    members = [_untrained(member) for member in WRAPPED.get(name, ())]
    return build_model(SPECS[name], VOCABULARY, members or None)


@pytest.mark.parametrize("name", list(SPECS))
def test_an_untrained_model_is_about_uniform(name: str) -> None:
    torch.manual_seed(3)
    model = _untrained(name).eval()
    nats, _ = model.score(_tokens(50, 20), _tokens(50, 21)[:, 1:], model.initial_state(50))
    assert abs(nats.mean().item() - math.log(VOCABULARY)) < 0.5
