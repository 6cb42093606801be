import math

import numpy as np
import pytest

from nextchapter.evaluation.metrics import split_metrics
from nextchapter.evaluation.scored import ScoredChapters
from nextchapter.evaluation.spelling import charge_spelling
from nextchapter.spec.evaluation import EvaluationSpec
from nextchapter.tokens.stream import TokenStream

STREAM = TokenStream(np.array([0, 5, 0, 0, 1, 5, 1], dtype=np.uint16), np.array([0, 5, 7]))


def test_what_a_chapter_owes_is_spread_over_its_unknown_words() -> None:
    spelling = charge_spelling(STREAM, 0, {"nats": [6.0, 0.0], "characters": [11, 0]})
    assert spelling is not None
    assert [chapter.tolist() for chapter in spelling.nats] == [[2, 0, 2, 2, 0], [0, 0]]
    assert [chapter.tolist() for chapter in spelling.characters] == [[4, 0, 4, 3, 0], [0, 0]]
    assert charge_spelling(STREAM, None, None) is None


def test_both_figures_of_a_hand_worked_split() -> None:
    """Seven tokens of one bit each; three unknown words of 11 characters that cost 6 bits; 3 known characters."""
    bit = math.log(2)
    spelling = charge_spelling(STREAM, 0, {"nats": [6 * bit, 0.0], "characters": [11, 0]})
    nats, characters = [np.full(5, bit), np.full(2, bit)], [np.array([0, 2, 0, 0, 0]), np.array([1, 0])]
    assert spelling is not None
    paid = [own + more for own, more in zip(nats, spelling.nats, strict=True)]
    held = [own + more for own, more in zip(characters, spelling.characters, strict=True)]
    scored = ScoredChapters(nats, paid, held, [np.cumsum(chapter) for chapter in held])
    figures = split_metrics(scored, 5, 14, EvaluationSpec())
    assert figures["characters"] == 14
    assert figures["bits_per_character"] == pytest.approx(13 / 14)
    assert figures["bits_per_character_without_spelling"] == pytest.approx(7 / 14)
    assert figures["perplexity"] == pytest.approx(2.0)
    assert figures["perplexity_per_word"] == pytest.approx(2 ** (13 / 5))
    assert figures["spelling_nats"] == pytest.approx(6 * bit)
