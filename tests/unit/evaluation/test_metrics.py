import math

import numpy as np
import pytest

from nextchapter.evaluation.metrics import split_metrics
from nextchapter.spec.evaluation import EvaluationSpec


def test_figures_of_a_hand_worked_split() -> None:
    """Two chapters, 3 + 2 tokens, the last of each its end: 10 bits over 5 characters of 2 words."""
    bit = math.log(2)
    nats = [np.array([1 * bit, 3 * bit, 2 * bit]), np.array([3 * bit, 1 * bit])]
    figures = split_metrics(nats, [np.array([2, 2, 0]), np.array([1, 0])], words=2, spec=EvaluationSpec())
    assert figures["bits_per_character"] == pytest.approx(2.0)
    assert figures["nats_per_token"] == pytest.approx(2 * bit)
    assert figures["perplexity"] == pytest.approx(4.0)
    assert figures["perplexity_per_word"] == pytest.approx(32.0)
    assert (figures["tokens"], figures["characters"], figures["chapters"], figures["blocks"]) == (5, 5, 2, 2)
    assert figures["ci_low"] == pytest.approx(1.5)  # the block of 6 bits over 4, drawn twice
    assert figures["ci_high"] == pytest.approx(4.0)  # the block of 4 bits over 1


def test_what_is_too_large_for_a_float_is_none_not_infinity() -> None:
    figures = split_metrics([np.full(3, 900.0)], [np.ones(3, int)], words=0, spec=EvaluationSpec())
    assert figures["perplexity"] is None
    assert figures["perplexity_per_word"] is None
    assert figures["ci_low"] is None
