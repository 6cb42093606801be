import numpy as np
import pytest
import torch

from nextchapter.models.ensemble import Ensemble
from nextchapter.models.protocol import LanguageModel
from nextchapter.models.registry import build_model
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream

VOCABULARY, END = 9, 1


@pytest.fixture
def stream() -> TokenStream:
    tokens = np.random.default_rng(4).integers(2, VOCABULARY, size=120).astype(np.uint16)
    tokens[[49, 119]] = END
    return TokenStream(tokens, np.array([0, 50, 120]))


@pytest.fixture
def members(stream: TokenStream) -> list[LanguageModel]:
    """Return a network and a model that has counted half of the text."""
    torch.manual_seed(0)
    ngram = build_model({"kind": "ngram", "order": 2}, VOCABULARY)
    ngram.fit(TokenStream(stream.tokens[:50], stream.offsets[:2]), END)
    return [build_model({"kind": "gru", "hidden": 6, "embedding": 4}, VOCABULARY), ngram]


def _ensemble(members: list[LanguageModel]) -> Ensemble:
    model = build_model({"kind": "ensemble", "members": ["a", "b"]}, VOCABULARY, members)
    assert isinstance(model, Ensemble)
    return model.double().eval()


def _nats(model: LanguageModel, stream: TokenStream) -> float:
    return float(np.concatenate(score_chapters(model, stream, END, 2, 100)).sum())


def test_the_probability_is_the_weighted_mean_of_the_members(members: list[LanguageModel]) -> None:
    model = _ensemble(members)
    model.weights.copy_(torch.tensor([0.7, 0.3]))
    tokens = torch.tensor([[3, 5, 3, 8], [2, 2, 4, 1]])
    mixed, _ = model(tokens, model.initial_state(2))
    alone = [member(tokens, member.initial_state(2))[0].exp() for member in model.models]
    torch.testing.assert_close(mixed.exp(), model.weights[0] * alone[0] + model.weights[1] * alone[1])


def test_the_weights_fitted_are_those_of_a_fine_grid(members: list[LanguageModel], stream: TokenStream) -> None:
    model = _ensemble(members)
    model.fit(stream, END)
    fitted, weight, scores = model.weights.clone(), float(model.weights[1]), {}
    for share in np.arange(0.04, 1, 0.04):
        model.weights.copy_(torch.tensor([1 - share, share]))
        scores[share] = _nats(model, stream)
    model.weights.copy_(fitted)
    assert weight == pytest.approx(min(scores, key=lambda share: scores[share]), abs=0.04)
    assert _nats(model, stream) <= min(scores.values())


def test_a_member_of_weight_0_says_nothing_and_breaks_nothing(
    members: list[LanguageModel], stream: TokenStream
) -> None:
    model = _ensemble(members)
    model.weights.copy_(torch.tensor([1.0, 0.0]))
    assert _nats(model, stream) == pytest.approx(_nats(model.models[0], stream), rel=1e-12)
