"""How much of a text stands word for word in the training chapters, and where.

Words are compared as in `corpus/words.py`: upper and lower case are the same, marks between words do not count. For
each word of a text the length of the longest span is found that begins there and stands in a training chapter: from
it follow the longest copied span and the share of n-grams of any length.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextchapter.corpus.batching import batch_by_size
from nextchapter.corpus.shingles import Hashes, hash_words

SHORTEST_SPAN = 4
"""Spans of fewer words than this are the language's own, and are not looked for."""

_BLOCK_WORDS = 1_000_000
# Stand behind a training chapter and behind a text: no span goes on over them.
_CHAPTER_END, _TEXT_END = np.uint64(0x6368617074657245), np.uint64(0x7465787445746578)
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = np.uint64(pow(_BASE, -1, 2**64))

Integers = NDArray[np.int64]


class Copies(NamedTuple):
    """What of a text stands in training."""

    lengths: Integers
    """[word] words of the longest copied span that begins here; 0 for one of fewer than `SHORTEST_SPAN`."""
    chapters: Integers
    """[word] the training chapter, by its place among all, that has that span; -1 for none."""

    @property
    def longest(self) -> int:
        """Words of the longest copied span."""
        return int(self.lengths.max(initial=0))

    def share(self, n: int) -> float:
        """Return the share of the n-grams that stand in training, n from `SHORTEST_SPAN` on; 0 if there are none."""
        starts = self.lengths[: max(len(self.lengths) - n + 1, 0)]
        return float((starts >= n).mean()) if len(starts) else 0.0


class _Ngrams:
    """The n-grams of some words, of any n, as hashes that take one step each.

    A hash is the sum of word hashes times powers of an odd base, modulo 2**64; differences of running sums give it for
    any span, and the inverse of the base, which an odd number has, brings spans at different places to the same power.
    """

    def __init__(self, words: Hashes) -> None:
        self.count = len(words)
        powers, self._inverse = (
            np.cumprod(np.full(self.count, base, np.uint64)) for base in (np.uint64(_BASE), _BASE_INVERSE)
        )
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words * powers)])

    def at(self, places: Integers, n: int) -> Hashes:
        """Return the hash of the n words from each place on."""
        return np.asarray((self._sums[places + n] - self._sums[places]) * self._inverse[places], np.uint64)


def find_copies(texts: Sequence[str], training: Iterable[str]) -> list[Copies]:
    """Return for each text what of it stands in the training chapters.

    Training is read once, in blocks of about a million words, in which the memory taken is bounded.

    Args:
        texts: those to judge.
        training: the training chapters.
    """
    hashed = [hash_words(text) for text in texts]
    wanted = _Ngrams(_joined(hashed, _TEXT_END))
    lengths, chapters = np.zeros(wanted.count, np.int64), np.full(wanted.count, -1)
    before = 0
    for block in batch_by_size(map(hash_words, training), len, _BLOCK_WORDS):
        starts = before + np.repeat(np.arange(len(block)), [len(words) + 1 for words in block])
        for places, found, n in _common_spans(wanted, _Ngrams(_joined(block, _CHAPTER_END))):
            is_longer = lengths[places] < n
            lengths[places[is_longer]] = n
            chapters[places[is_longer]] = starts[found[is_longer]]
        before += len(block)
    ends = np.cumsum([len(words) + 1 for words in hashed])
    return [
        Copies(lengths[end - len(words) - 1 : end - 1], chapters[end - len(words) - 1 : end - 1])
        for words, end in zip(hashed, ends, strict=True)
    ]


def _joined(texts: Sequence[Hashes], end: np.uint64) -> Hashes:
    parts = [part for words in texts for part in (words, np.array([end], np.uint64))]
    return np.concatenate([*parts, np.empty(0, np.uint64)])


def _common_spans(wanted: _Ngrams, block: _Ngrams) -> Iterator[tuple[Integers, Integers, int]]:
    """Yield for each length n, from the shortest up, where n wanted words stand in a block, and a place of each there.

    A span of n + 1 words holds two of n, one a word behind the other: all other places drop out of the search.
    """
    places, found = np.arange(wanted.count), np.arange(block.count)
    n = SHORTEST_SPAN
    while True:
        places, found = places[places + n <= wanted.count], found[found + n <= block.count]
        grams = wanted.at(places, n)
        found = found[_occur(block.at(found, n), np.unique(grams))]
        known, first = np.unique(block.at(found, n), return_index=True)
        is_copied = _occur(grams, known)
        places, grams = places[is_copied], grams[is_copied]
        if not len(places):
            return
        yield places, found[first[np.searchsorted(known, grams)]], n
        places, found = (kept[:-1][np.diff(kept) == 1] for kept in (places, found))
        n += 1


def _occur(values: Hashes, known: Hashes) -> NDArray[np.bool_]:
    """Return which values are among the known ones, sorted and distinct."""
    if not len(known):
        return np.zeros(len(values), bool)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.asarray(known[places] == values)
