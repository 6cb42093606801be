"""Leaks: how much of the test chapters a model has already read in training, word for word."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nextchapter.corpus.batching import batch_by_size
from nextchapter.corpus.shingles import Hashes, hash_ngrams, hash_words, sampled

NGRAM_WORDS = 8
WORST_CHAPTERS = 5
NGRAMS_MAX = 4_000_000
"""Of a test split with more 8-grams than this, those are looked up whose hash falls into a sample."""

_READ_CHAPTERS = 64
_LOOKED_UP_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class ChapterLeak:
    """A test chapter that occurs in training, in part."""

    book: str
    chapter: int
    share: float
    """Of its 8-grams, those that occur in training."""
    longest_words: int | None
    """The longest passage that training has too, in words; not known where 8-grams were sampled."""


@dataclass(frozen=True)
class Leak:
    """How much of the test split occurs in training."""

    ngram: int
    """Words of the passages that are compared."""
    share: float
    """Of all 8-grams of the test chapters, as often as each occurs, those that occur in training."""
    sampled: bool
    """Whether not all 8-grams were looked up, but a sample of some millions of them."""
    worst: list[ChapterLeak]
    """The chapters with the greatest share, the worst first; none without any."""


def leak_share(train: Sequence[Path], test: Sequence[Path]) -> Leak:
    """Return how much of the test split occurs in training.

    The tables are read once, a few chapters at a time; the memory taken is that of at most 4 million 8-grams.

    Args:
        train: tables of the training chapters.
        test: tables of the test chapters.
    """
    chapters, one_in = _test_ngrams(test)
    known = np.unique(np.concatenate([*(ngrams for _, _, ngrams in chapters), np.empty(0, np.uint64)]))
    is_leaked = np.zeros(len(known), bool)
    in_training = (sampled(ngrams, one_in) for _, _, ngrams in _chapter_ngrams(train))
    for batch in batch_by_size(in_training, len, _LOOKED_UP_AT_ONCE):
        is_leaked |= _occur(known, np.concatenate(batch))
    leaks, leaked, total = [], 0, 0
    for book, chapter, ngrams in chapters:
        hits = is_leaked[np.searchsorted(known, ngrams)]
        leaked, total = leaked + int(hits.sum()), total + len(hits)
        if hits.any():
            longest = _longest_run(hits) + NGRAM_WORDS - 1 if one_in == 1 else None
            leaks.append(ChapterLeak(book, chapter, float(hits.mean()), longest))
    leaks.sort(key=lambda leak: -leak.share)
    return Leak(NGRAM_WORDS, leaked / total if total else 0.0, one_in > 1, leaks[:WORST_CHAPTERS])


def _test_ngrams(tables: Sequence[Path]) -> tuple[list[tuple[str, int, Hashes]], int]:
    """Return the 8-grams of each chapter, and of how many hash values one is kept so that they are not too many."""
    chapters: list[tuple[str, int, Hashes]] = []
    one_in, count = 1, 0
    for book, chapter, ngrams in _chapter_ngrams(tables):
        chapters.append((book, chapter, sampled(ngrams, one_in)))
        count += len(chapters[-1][2])
        while count > NGRAMS_MAX:
            one_in *= 2
            chapters = [(book, chapter, sampled(ngrams, one_in)) for book, chapter, ngrams in chapters]
            count = sum(len(ngrams) for _, _, ngrams in chapters)
    return chapters, one_in


def _chapter_ngrams(tables: Iterable[Path]) -> Iterator[tuple[str, int, Hashes]]:
    for path in tables:
        with pq.ParquetFile(path) as table:
            columns = ["book", "chapter", "text"]
            for batch in table.iter_batches(_READ_CHAPTERS, columns=columns, use_threads=False):
                for book, chapter, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    yield book, chapter, hash_ngrams(hash_words(text), NGRAM_WORDS)


def _occur(known: Hashes, values: Hashes) -> NDArray[np.bool_]:
    """Return which of the known values, sorted and distinct, occur among others."""
    occurs = np.zeros(len(known), bool)
    values = np.sort(values)  # sorted values are found several times faster: the search stays in the cache
    places = np.searchsorted(known, values)
    inside = places < len(known)
    places, values = places[inside], values[inside]
    occurs[places[known[places] == values]] = True
    return occurs


def _longest_run(flags: NDArray[np.bool_]) -> int:
    """Return the length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
