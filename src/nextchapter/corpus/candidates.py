"""Which texts may be alike: the two indices over sketches that spare comparing every pair."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nextchapter.corpus.shingles import Hashes

_MISSED = 0.001
"""Probability that two texts exactly as alike as the threshold share no band of their signatures."""


def band_shape(length: int, similarity: float) -> tuple[int, int]:
    """Return how many bands, of how many rows, a signature is divided into for locality-sensitive hashing.

    Two texts of similarity s share a band with the probability 1 - (1 - s**rows)**bands (Leskovec, Rajaraman and
    Ullman, "Mining of Massive Datasets", section 3.4). The most rows are taken, because those bring the fewest pairs
    in vain, whose bands still find a pair at the threshold with the probability 0.999.
    """
    for rows in range(length, 1, -1):
        bands = length // rows
        if (1 - similarity**rows) ** bands <= _MISSED:
            return bands, rows
    return length, 1


class SimilarTexts:
    """Finds the texts whose MinHash signature shares a band with another's.

    The whole table is sorted once, and what stands alone in all of its bands never enters the index: in a shelf of
    100,000 chapters that takes 22 MB where datasketch's index of them all takes 500 MB.
    """

    def __init__(self, signatures: NDArray[np.uint32], similarity: float) -> None:
        """Number the bands of all signatures, one a row."""
        bands, rows = band_shape(signatures.shape[1], similarity)
        parts = (signatures[:, band * rows : (band + 1) * rows] for band in range(bands))
        self._buckets = np.stack([_number_repeated(part) for part in parts], axis=1)
        self._signatures = signatures
        self._kept: dict[tuple[int, int], list[int]] = defaultdict(list)

    def keep(self, index: int) -> None:
        """Let a text be found from now on."""
        for bucket in self._shared(index):
            self._kept[bucket].append(index)

    def find(self, index: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the kept texts that share a band with this one, and the estimates of their similarity to it."""
        found = {other for bucket in self._shared(index) for other in self._kept.get(bucket, ())}
        others = np.array(sorted(found), np.intp)
        return others, np.mean(self._signatures[others] == self._signatures[index], axis=1)

    def _shared(self, index: int) -> list[tuple[int, int]]:
        return [(band, number) for band, number in enumerate(self._buckets[index].tolist()) if number >= 0]


def _number_repeated(rows: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return a number for each row, the same for equal ones; -1 for a row that comes only once."""
    packed = np.ascontiguousarray(rows).view(f"V{rows.shape[1] * rows.itemsize}").ravel()
    _, numbers, counts = np.unique(packed, return_inverse=True, return_counts=True)
    return np.where(counts[numbers] > 1, numbers, -1).astype(np.int32)


class Holders:
    """Finds the books that hold the sampled shingles of a text."""

    def __init__(self, samples: Sequence[Hashes]) -> None:
        """Sort the samples of all books, each of distinct shingles."""
        sizes = [len(sample) for sample in samples]
        shingles = np.concatenate([*samples, np.empty(0, np.uint64)])
        order = np.argsort(shingles, kind="stable")
        self._shingles = shingles[order]
        self._books = np.repeat(np.arange(len(samples), dtype=np.int32), sizes)[order]
        self._count = len(samples)

    def shares(self, sample: Hashes) -> NDArray[np.float64]:
        """Return which share of a sample each book holds: an estimate of the text's containment in it."""
        first = np.searchsorted(self._shingles, sample, side="left")
        counts = np.searchsorted(self._shingles, sample, side="right") - first
        ends = np.cumsum(counts)
        places = np.repeat(first - (ends - counts), counts) + np.arange(counts.sum())
        return np.bincount(self._books[places], minlength=self._count) / max(len(sample), 1)
