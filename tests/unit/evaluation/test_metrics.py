import math

import numpy as np
import pytest

from nextchapter.evaluation.accuracy import WordGuesses
from nextchapter.evaluation.calibration import reliability
from nextchapter.evaluation.foresight import Foresight
from nextchapter.evaluation.metrics import judged_metrics, split_metrics
from nextchapter.evaluation.scored import ScoredChapters
from nextchapter.spec.evaluation import EvaluationSpec


def scored_of(nats: list[np.ndarray], characters: list[np.ndarray]) -> ScoredChapters:
    return ScoredChapters(nats, nats, characters, [np.cumsum(chapter) for chapter in characters])


def test_figures_of_a_hand_worked_split() -> None:
    """Two chapters, 3 + 2 tokens, the last of each its end: 10 bits over 5 characters of 2 words."""
    bit = math.log(2)
    nats = [np.array([1 * bit, 3 * bit, 2 * bit]), np.array([3 * bit, 1 * bit])]
    scored = scored_of(nats, [np.array([2, 2, 0]), np.array([1, 0])])
    figures = split_metrics(scored, words=2, utf8_bytes=8, spec=EvaluationSpec())
    assert figures["bits_per_character"] == pytest.approx(2.0)
    assert figures["bits_per_byte"] == pytest.approx(10 / 8)
    assert figures["nats_per_token"] == pytest.approx(2 * bit)
    assert figures["perplexity"] == pytest.approx(4.0)
    assert figures["perplexity_per_word"] == pytest.approx(32.0)
    assert (figures["tokens"], figures["characters"], figures["chapters"], figures["blocks"]) == (5, 5, 2, 2)
    assert figures["ci_low"] == pytest.approx(1.5)  # the block of 6 bits over 4, drawn twice
    assert figures["ci_high"] == pytest.approx(4.0)  # the block of 4 bits over 1


def test_what_is_too_large_for_a_float_is_none_not_infinity() -> None:
    scored = scored_of([np.full(3, 900.0)], [np.ones(3, int)])
    figures = split_metrics(scored, words=0, utf8_bytes=3, spec=EvaluationSpec())
    assert figures["perplexity"] is None
    assert figures["perplexity_per_word"] is None
    assert figures["ci_low"] is None


def test_accuracies_are_shares_of_what_was_judged() -> None:
    judged, best = np.array([True, True, True, True, False]), np.array([True, True, True, False, False])
    chapter = Foresight(np.ones(5), judged, np.array([4, 4, 4, 4, -1]), np.full(5, 0.5), best)
    words = WordGuesses(np.array([True, True, False]), np.array([True, False, False]))
    curve = reliability(np.full(4, 0.5), np.array([True, False, False, False]))
    assert judged_metrics([chapter], [words], curve) == {
        "judged_tokens": 4, "judged_words": 2, "token_accuracy_at_1": 0.25, "token_accuracy_at_5": 0.75,
        "word_accuracy": 0.5, "confidence": 0.5, "expected_calibration_error": 0.25,
    }  # fmt: skip
