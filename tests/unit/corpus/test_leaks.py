from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import leaks
from nextchapter.corpus.leaks import Leak, leak_share
from nextchapter.corpus.words import WORD


def ngrams_of(text: str, n: int = 8) -> list[tuple[str, ...]]:
    words = WORD.findall(text.casefold())
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


@pytest.fixture
def leak(write_shelf: Callable[..., list[Path]]) -> Callable[..., Leak]:
    def measure(train: dict[str, Sequence[str]], test: dict[str, Sequence[str]]) -> Leak:
        return leak_share(write_shelf(train, name="train"), write_shelf(test, name="test"))

    return measure


@pytest.fixture
def splits(sentences: Callable[..., str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return a training and a test split; of three test chapters two quote the first, in different measure."""
    words = sentences(3000).split()
    quoting = " ".join([*words[100:400], *sentences(700, 1).split(), *words[900:950]])
    little = " ".join([*sentences(500, 2).split(), *words[0:40], *sentences(500, 3).split()])
    train = {"a": [" ".join(words[:1500]), " ".join(words[1500:])], "b": [sentences(500, 4)]}
    return train, {"a": [little], "c": [quoting, sentences(300, 5), "Five words and no more."]}


def test_the_share_is_that_of_the_8_grams_of_the_test_chapters(
    leak: Callable[..., Leak], splits: tuple[dict[str, list[str]], dict[str, list[str]]]
) -> None:
    train, test = splits
    known = {ngram for texts in train.values() for text in texts for ngram in ngrams_of(text)}
    hits = {(book, place): [ngram in known for ngram in ngrams_of(text)]
            for book, texts in test.items() for place, text in enumerate(texts, start=1)}  # fmt: skip
    found = leak(train, test)
    assert found.share == sum(map(sum, hits.values())) / sum(map(len, hits.values()))
    assert (found.ngram, found.sampled) == (8, False)
    assert [(entry.book, entry.chapter) for entry in found.worst] == [("c", 1), ("a", 1)]
    for entry in found.worst:
        own = hits[entry.book, entry.chapter]
        assert entry.share == sum(own) / len(own)
    assert [entry.longest_words for entry in found.worst] == [300, 40]


def test_a_passage_that_comes_twice_counts_twice(leak: Callable[..., Leak]) -> None:
    line = "one two three four five six seven eight"
    found = leak({"a": [line]}, {"b": [f"{line} x {line}"]})
    assert found.share == 2 / 10
    assert found.worst[0].longest_words == 8


def test_nothing_leaks_out_of_nothing(leak: Callable[..., Leak], sentences: Callable[..., str]) -> None:
    clean = Leak(8, 0.0, False, [])
    assert leak({"a": [sentences(100)]}, {"b": [sentences(100, 1)]}) == clean
    assert leak({"a": [sentences(100)]}, {"b": ["too short"]}) == clean
    assert leak_share([], []) == clean


def test_all_leaks_when_the_test_is_part_of_training(leak: Callable[..., Leak], sentences: Callable[..., str]) -> None:
    text = sentences(200)
    found = leak({"a": [text]}, {"b": [text]})
    assert found.share == 1.0
    assert found.worst[0].longest_words == 200


def test_a_sample_of_the_8_grams_estimates_the_share(
    leak: Callable[..., Leak],
    splits: tuple[dict[str, list[str]], dict[str, list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exact = leak(*splits)
    monkeypatch.setattr(leaks, "NGRAMS_MAX", 500)
    monkeypatch.setattr(leaks, "_LOOKED_UP_AT_ONCE", 100)
    estimate = leak(*splits)
    assert estimate.sampled
    assert estimate.share == pytest.approx(exact.share, abs=4 * (exact.share * (1 - exact.share) / 250) ** 0.5)
    assert {entry.longest_words for entry in estimate.worst} == {None}


@given(st.lists(st.booleans()))
def test_the_longest_run(flags: list[bool]) -> None:
    runs = "".join("x" if flag else " " for flag in flags).split()
    assert leaks._longest_run(np.array(flags, bool)) == max(map(len, runs), default=0)


@given(st.sets(st.integers(0, 20)), st.lists(st.integers(0, 25)))
def test_what_occurs(known: set[int], values: list[int]) -> None:
    found = leaks._occur(np.array(sorted(known), np.uint64), np.array(values, np.uint64))
    assert found.tolist() == [Counter(values)[value] > 0 for value in sorted(known)]
