import math

import numpy as np
import pytest

from nextchapter.corpus.frequencies import WordPlaces
from nextchapter.evaluation.profiles import loss_by_frequency, loss_by_place, loss_by_place_in_truncation

LN_2 = math.log(2)


def chapter_of(bits: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nats, characters and ends of a chapter of one-letter tokens, closed by its end that costs nothing."""
    characters = np.append(np.ones(len(bits), int), 0)
    return np.append(np.array(bits) * LN_2, 0.0), characters, np.cumsum(characters)


def test_each_stretch_of_a_chapter_is_twice_as_long_as_what_stands_before_it() -> None:
    long, short = chapter_of([4.0] * 100 + [3.0] * 100 + [2.0] * 200 + [1.0] * 50), chapter_of([8.0] * 100)
    table = loss_by_place(*zip(long, short, strict=True))
    assert [(row["low"], row["high"], row["characters"]) for row in table] == [
        (0, 100, 200), (100, 200, 100), (200, 400, 200), (400, 800, 50)
    ]  # fmt: skip
    assert [row["bits_per_character"] for row in table] == pytest.approx([6.0, 3.0, 2.0, 1.0])


def test_the_stretches_together_hold_all_nats() -> None:
    generator = np.random.default_rng(0)
    chapters = [chapter_of(list(generator.exponential(size=length))) for length in (1, 90, 100, 777)]
    table = loss_by_place(*zip(*chapters, strict=True))
    held = sum(row["characters"] * row["bits_per_character"] for row in table)
    assert held == pytest.approx(sum(float(nats.sum()) for nats, _, _ in chapters) / LN_2)
    assert sum(row["characters"] for row in table) == 968


@pytest.mark.parametrize("truncation", [1, 5, 8, 48])
def test_a_place_between_two_cuts_is_counted_from_the_chapter_s_beginning(truncation: int) -> None:
    nats = [np.arange(100, dtype=float), np.arange(7, dtype=float)]
    table = loss_by_place_in_truncation(nats, truncation)
    assert [row["high"] for row in table][-1] == truncation
    for row in table:
        inside = [value for chapter in nats for place, value in enumerate(chapter)
                  if row["low"] <= place % truncation < row["high"]]  # fmt: skip
        assert row["tokens"] == len(inside)
        assert row["nats_per_token"] == pytest.approx(np.mean(inside))


def test_words_are_sorted_by_their_count_in_training_and_charged_with_the_space_before_them() -> None:
    """`ab cd, ef`: a bit each of the first word's letters, and so on; the comma belongs to no word."""
    nats, _, ends = chapter_of([1.0, 1.0, 2.0, 2.0, 2.0, 100.0, 3.0, 3.0, 3.0])
    words = WordPlaces(np.array([0, 2, 6]), np.array([2, 5, 9]), np.array([0, 1, 9]))
    rare, known = loss_by_frequency([nats], [ends], [words])
    assert rare == {"low": 0, "high": 0, "words": 1, "bits_per_word": 2.0, "bits_per_character": 1.0}
    assert (known["low"], known["high"], known["words"]) == (1, 9, 2)
    assert known["bits_per_word"] == pytest.approx(7.5)
    assert known["bits_per_character"] == pytest.approx(15 / 6)


def test_a_token_over_two_words_is_shared_out() -> None:
    words = WordPlaces(np.array([0, 2]), np.array([2, 5]), np.array([10, 99]))
    (row,) = loss_by_frequency([np.array([10 * LN_2, 0.0])], [np.array([5, 5])], [words])
    assert (row["low"], row["high"], row["words"]) == (10, 99, 2)
    assert row["bits_per_word"] == pytest.approx(5.0)
