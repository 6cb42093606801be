"""Shingles: the word n-grams of a text as 64-bit hashes, in which likeness and leaks are counted.

Two different n-grams of a gigabyte of text (2e8 of them) share a hash with a probability of about 1e-3.
"""

from collections.abc import Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

from nextchapter.corpus.words import WORD

Hashes = NDArray[np.uint64]

_BLOCK_CHARACTERS = 1_000_000
_VOCABULARY_MAX = 250_000
# Odd, so that multiplication loses nothing: the golden ratio's fraction, and the first multiplier of MurmurHash3's end.
_PLACE = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_HALF = np.uint64(33)


class _Vocabulary(dict[str, int]):
    """The hash of each word, made when it is first asked for; it forgets all rather than grow without bound."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _VOCABULARY_MAX:
            self.clear()
        value = self[word] = xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))
        return value


_VOCABULARY = _Vocabulary()


def hash_words(text: str) -> Hashes:
    """Return the hash of each word of a text, in order; upper and lower case are the same.

    The text is taken in blocks, cut at white space, so that a long one needs no list of all its words.
    """
    blocks = []
    start = 0
    while start < len(text):
        stop = _end_of_block(text, start)
        words = WORD.findall(text[start:stop].casefold())
        blocks.append(np.fromiter(map(_VOCABULARY.__getitem__, words), np.uint64, len(words)))
        start = stop
    return np.concatenate(blocks) if blocks else np.empty(0, np.uint64)


def _end_of_block(text: str, start: int) -> int:
    stop = start + _BLOCK_CHARACTERS
    if stop >= len(text):
        return len(text)
    cut = max(text.rfind(" ", start, stop), text.rfind("\n", start, stop))
    return cut + 1 if cut > start else stop


def hash_ngrams(words: Hashes, n: int) -> Hashes:
    """Return the hash of each run of n words, in order; none where there are fewer words.

    The words' hashes are the digits of a number, taken modulo 2**64 and mixed so that every bit depends on all.
    """
    count = max(len(words) - n + 1, 0)
    ngrams = words[:count].copy()
    for place in range(1, n):
        ngrams *= _PLACE
        ngrams += words[place : place + count]
    ngrams ^= ngrams >> _HALF
    ngrams *= _MIX
    ngrams ^= ngrams >> _HALF
    return ngrams


def hash_shingles(text: str, n: int) -> Hashes:
    """Return the hash of each run of n words of a text; the one of all its words where it has fewer."""
    words = hash_words(text)
    return hash_ngrams(words, min(n, len(words))) if len(words) else words


def jaccard(first: Hashes, second: Hashes) -> float:
    """Return the share of common members of two sets, given as sorted arrays: Jaccard's coefficient."""
    common = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - common
    return common / union if union else 0.0


def containment(inner: Hashes, outer: Hashes) -> float:
    """Return the share of one set's members that the other holds too; both are sorted arrays."""
    return len(np.intersect1d(inner, outer, assume_unique=True)) / len(inner) if len(inner) else 0.0


def union(sets: Sequence[Hashes]) -> Hashes:
    """Return the members of several sets, sorted, each once."""
    return np.unique(np.concatenate(sets)) if sets else np.empty(0, np.uint64)


def sampled(hashes: Hashes, one_in: int) -> Hashes:
    """Return the hashes of a sample: one in so many of all that exist, the same ones for every text."""
    return hashes[hashes <= np.uint64((2**64 - 1) // one_in)]
