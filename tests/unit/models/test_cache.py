"""The neural cache against its definition, one place after the other."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from nextchapter.models.cache import BLOCK, DECAYS, Cache
from nextchapter.models.protocol import HiddenLanguageModel, LanguageModel, count_parameters
from nextchapter.models.registry import build_model
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream

VOCABULARY, END = 9, 1
LSTM = {"kind": "lstm", "hidden": 6, "embedding": 4}
NGRAM = {"kind": "ngram", "order": 3}


def _member(spec: dict[str, Any]) -> LanguageModel:
    torch.manual_seed(2)
    model = build_model(spec, VOCABULARY).double().eval()
    if spec["kind"] == "ngram":
        model.fit(_stream(3), END)
    return model


def _stream(seed: int, chapters: int = 3, repeat: int = 1) -> TokenStream:
    """Return chapters of chance tokens, each of which says the same `repeat` times."""
    drawn = np.random.default_rng(seed).integers(2, VOCABULARY, size=(chapters, 40 // repeat))
    tokens = np.concatenate([np.append(np.tile(chapter, repeat), END) for chapter in drawn])
    return TokenStream(tokens.astype(np.uint16), np.arange(chapters + 1) * (len(drawn[0]) * repeat + 1))


def _cached(member: LanguageModel, size: int, share: float, theta: float, decay: float) -> Cache:
    model = build_model({"kind": "cache", "of": "member", "size": size}, VOCABULARY, [member]).double().eval()
    assert isinstance(model, Cache)
    for name, value in (("interpolation", share), ("theta", theta), ("decay", decay)):
        model.get_buffer(name).fill_(value)
    return model


def _naive(model: Cache, tokens: list[int]) -> np.ndarray:
    """Return p(next token) after each token, by the sums of Grave et al., in float64."""
    (member,) = model.models
    row = torch.tensor([tokens])
    hidden = np.zeros((len(tokens), 1))
    if isinstance(member, HiddenLanguageModel):
        hidden = member.read(row, member.initial_state(1))[0][0].detach().numpy()
    log_probs = member(row, member.initial_state(1))[0][0].detach().numpy()
    result = np.exp(log_probs)
    for t in range(1, len(tokens)):
        sums = np.zeros(VOCABULARY)
        for i in range(max(0, t - model.size), t):
            fit = float(model.theta) * float(hidden[t] @ hidden[i]) - float(model.decay) * (t - i)
            sums[tokens[i + 1]] += math.exp(fit)
        result[t] = (1 - float(model.interpolation)) * result[t] + float(model.interpolation) * sums / sums.sum()
    return result


@pytest.mark.parametrize("member", [LSTM, NGRAM, {"kind": "hmm", "states": 5}])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_cache_is_the_double_sum_of_its_definition(member: dict[str, Any], size: int) -> None:
    model = _cached(_member(member), size, share=0.3, theta=2.5, decay=0.05)
    tokens = np.random.default_rng(1).integers(VOCABULARY, size=BLOCK + 30).tolist()
    expected = _naive(model, tokens)
    log_probs, _ = model(torch.tensor([tokens]), model.initial_state(1))
    np.testing.assert_allclose(log_probs[0].exp().detach().numpy(), expected, rtol=1e-11, atol=1e-14)
    nats, _ = model.score(torch.tensor([tokens[:-1]]), torch.tensor([tokens[1:]]), model.initial_state(1))
    chosen = expected[np.arange(len(tokens) - 1), tokens[1:]]
    np.testing.assert_allclose(nats[0].detach().numpy(), -np.log(chosen), rtol=1e-11)


def test_a_memory_never_grows_beyond_its_size() -> None:
    model = _cached(_member(LSTM), 5, share=0.3, theta=1.0, decay=0.0)
    state = model.initial_state(2)
    for token in range(8):
        _, state = model.step(torch.full((2,), token), state)
    _, (keys, values) = state
    assert keys.shape == (2, 6, 6)
    assert values.tolist() == [[3, 4, 5, 6, 7]] * 2


def test_before_anything_is_stored_the_model_speaks_alone_and_so_it_does_with_share_0() -> None:
    member = _member(LSTM)
    tokens = torch.tensor([[3, 4, 3, 4]])
    alone, _ = member(tokens, member.initial_state(1))
    for share, places in ((0.5, slice(1)), (0.0, slice(None))):
        model = _cached(member, 10, share, theta=1.0, decay=0.0)
        torch.testing.assert_close(model(tokens, model.initial_state(1))[0][:, places], alone[:, places])


@pytest.mark.parametrize("member", [LSTM, NGRAM])
def test_what_is_fitted_is_the_best_of_the_grid_by_the_scorer_itself(member: dict[str, Any]) -> None:
    stream = _stream(5, repeat=4)
    model = _cached(_member(member), 12, share=0.0, theta=0.0, decay=0.0)
    alone = _mean_nats(model, stream)
    model.fit(stream, END)
    fitted = _mean_nats(model, stream)
    assert fitted < alone
    numbers = {name: float(model.get_buffer(name)) for name in model.tables}
    tried = {"interpolation": (0.5 * numbers["interpolation"], 0.5 + 0.5 * numbers["interpolation"]), "decay": DECAYS}
    for name, values in {**tried, "theta": model._thetas(stream, END).tolist()}.items():
        for value in values:
            model.get_buffer(name).fill_(value)
            assert fitted <= _mean_nats(model, stream) + 1e-9
        model.get_buffer(name).fill_(numbers[name])


def _mean_nats(model: LanguageModel, stream: TokenStream) -> float:
    return float(np.concatenate(score_chapters(model, stream, END, 3, 100)).mean())


def test_the_numbers_of_a_wrapper_are_counted_with_those_of_its_members() -> None:
    lstm, ngram = _member(LSTM), _member(NGRAM)
    cached = _cached(lstm, 5, 0.1, 0.1, 0.0)
    assert count_parameters(cached) == count_parameters(lstm) + 3
    mixed = build_model({"kind": "ensemble", "members": ["a", "b"]}, VOCABULARY, [cached, ngram])
    assert count_parameters(mixed) == count_parameters(cached) + count_parameters(ngram) + 2


def test_members_of_another_vocabulary_are_refused() -> None:
    with pytest.raises(ValueError, match=r"vocabularies of \[9\] tokens; all must have 10"):
        build_model({"kind": "cache", "of": "member"}, 10, [_member(LSTM)])
