import random

import numpy as np
import pytest

from nextchapter.corpus.passages import cut_words, words_of
from nextchapter.evaluation import copying
from nextchapter.evaluation.copying import SHORTEST_SPAN, find_copies


def brute_force(text: str, training: list[str]) -> list[int]:
    """Return for each word the longest span that begins there and stands in a training chapter, by trying all."""
    words, chapters = words_of(text), [f" {' '.join(words_of(chapter))} " for chapter in training]
    lengths = []
    for start in range(len(words)):
        n = 0
        while start + n < len(words) and any(f" {' '.join(words[start : start + n + 1])} " in c for c in chapters):
            n += 1
        lengths.append(n if n >= SHORTEST_SPAN else 0)
    return lengths


def random_text(generator: random.Random, words: int) -> str:
    return " ".join(
        generator.choice("a b c Don't été".split()) + generator.choice(["", "", ",", ".\n\n"]) for _ in range(words)
    )


@pytest.mark.parametrize("block_words", [1, 60, 1_000_000])
def test_spans_are_those_of_brute_force(block_words: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_BLOCK_WORDS", block_words)
    generator = random.Random(1)
    training = [random_text(generator, 50) for _ in range(6)]
    texts = [random_text(generator, 40), training[3].upper(), "", "a a a a a a a a", "nothing of this"]
    for text, copies in zip(texts, find_copies(texts, training), strict=True):
        assert copies.lengths.tolist() == brute_force(text, training)
        for start in np.flatnonzero(copies.lengths):
            span = words_of(cut_words(text, int(start), int(copies.lengths[start])))
            assert f" {' '.join(span)} " in f" {' '.join(words_of(training[copies.chapters[start]]))} "


def test_a_training_chapter_is_copied_whole_and_no_span_goes_on_into_the_next() -> None:
    training = ["One two three four five six.", "Seven eight nine ten eleven twelve."]
    (whole, joined) = find_copies([training[0], " ".join(training)], training)
    assert whole.longest == 6
    assert [whole.share(n) for n in (4, 6, 7)] == [1.0, 1.0, 0.0]
    assert joined.longest == 6
    assert joined.chapters[[0, 6]].tolist() == [0, 1]
    assert joined.share(4) == 6 / 9  # the three 4-grams over the border stand nowhere


def test_nothing_is_copied_from_nothing() -> None:
    (copies,) = find_copies(["One two three four five."], [])
    assert (copies.longest, copies.share(4)) == (0, 0.0)
