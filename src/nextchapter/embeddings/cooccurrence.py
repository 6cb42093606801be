"""Co-occurrence counts in bounded memory: sorted runs that spill to disk, and their merge.

X_ij = sum of 1/distance over all places where tokens i and j stand at most `window` apart in one chapter. X is
symmetric, so only i <= j is kept.

A pair and its distance are packed into one uint64, so that a plain sort, by far the fastest that numpy has, brings
equal pairs together.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nextchapter.store.files import atomic_path
from nextchapter.tokens.stream import TokenStream

WINDOW_MAX = 255
TOKENS_MAX = 2**28
_TOKEN_BITS, _DISTANCE_BITS = np.uint64(28), np.uint64(8)
_TOKEN_MASK, _DISTANCE_MASK = np.uint64(TOKENS_MAX - 1), np.uint64(WINDOW_MAX)
_BYTES_PER_OCCURRENCE, _BYTES_PER_MERGED_PAIR = 72, 100
"""Peak while a run is made, and while runs are merged, by benchmarks/scale_glove.py."""
_QUANTUM = 2.0**-28
"""Weights are multiples of it, so that float64 holds their sums exactly (up to 33 million) in whatever order they are
added, and the counts do not depend on the bound of memory."""
_ENTRY = np.dtype([("pair", "<u8"), ("weight", "<f8")])


class Pairs(NamedTuple):
    """Pairs in ascending order, each once."""

    pair: np.ndarray
    """i << 28 | j with i <= j, uint64 [pair]."""
    weight: np.ndarray
    """Sum of 1/distance, float64 [pair]; for i == j each place counts once."""


@dataclass(frozen=True)
class CooccurrenceFile:
    """Sorted pairs on disk, read in parts: a memory map would count towards the memory of the process."""

    path: Path

    def __len__(self) -> int:
        return self.path.stat().st_size // _ENTRY.itemsize

    def read(self, start: int = 0, count: int = -1) -> Pairs:
        """Return so many pairs from a place on; -1 stands for all."""
        entries = np.fromfile(self.path, dtype=_ENTRY, offset=start * _ENTRY.itemsize, count=count)
        return Pairs(entries["pair"], entries["weight"])

    def blocks(self, pairs: int) -> Iterator[Pairs]:
        """Yield the pairs in order, at most so many at once."""
        for start in range(0, len(self), pairs):
            yield self.read(start, pairs)


def unpack(pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return i and j of packed pairs, int64 [pair] each."""
    return (pair >> _TOKEN_BITS).astype(np.int64), (pair & _TOKEN_MASK).astype(np.int64)


def frequent_tokens(stream: TokenStream, vocabulary_size: int, min_count: int) -> np.ndarray:
    """Return which tokens occur at least `min_count` times, bool [token]."""
    return np.asarray(stream.counts(vocabulary_size) >= min_count)


def count_cooccurrences(
    stream: TokenStream, kept: np.ndarray, window: int, memory_mb: int, path: Path
) -> CooccurrenceFile:
    """Count the pairs of a stream into a file of sorted pairs; return it opened.

    A token that is not kept is passed over, and its neighbours move together. Nothing reaches over the end of a
    chapter.

    Args:
        stream: the chapters.
        kept: which tokens are counted, bool [token].
        window: largest distance, in tokens.
        memory_mb: bound of the arrays held at once; what does not fit is sorted and spilled beside `path`.
        path: where the pairs go.

    Raises:
        ValueError: the window or the vocabulary does not fit the packed keys.
    """
    if not 1 <= window <= WINDOW_MAX or len(kept) > TOKENS_MAX:
        raise ValueError(f"window {window} must be 1 to {WINDOW_MAX}, tokens {len(kept)} at most {TOKENS_MAX}")
    path.parent.mkdir(parents=True, exist_ok=True)
    occurrences_max = max(memory_mb * 2**20 // _BYTES_PER_OCCURRENCE, 4 * window)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".runs-") as folder:
        runs = []
        for number, piece in enumerate(_pieces(stream, kept, window, occurrences_max // window)):
            runs.append(_write_run(Path(folder, f"{number}.run"), _sum_occurrences(_occurrences(piece, window))))
        with atomic_path(path) as temporary:
            for pairs in merge_runs(runs, memory_mb * 2**20 // _BYTES_PER_MERGED_PAIR):
                append_pairs(temporary, pairs)
    return CooccurrenceFile(path)


class _Piece(NamedTuple):
    """Kept tokens of a part of the stream, behind the last ones of the part before."""

    tokens: np.ndarray
    chapters: np.ndarray
    """The chapter of each token."""
    first_new: int
    """Tokens before this one were counted with the part before."""


def _pieces(stream: TokenStream, kept: np.ndarray, window: int, tokens_max: int) -> Iterator[_Piece]:
    """Cut a stream into parts that overlap by a window."""
    tokens = np.empty(0, dtype=np.uint64)
    chapters = np.empty(0, dtype=np.int64)
    for start in range(0, len(stream.tokens), tokens_max):
        part = stream.tokens[start : start + tokens_max]
        chosen = np.flatnonzero(kept[part])
        first_new = min(window, len(tokens))
        tokens = np.concatenate([tokens[-window:], part[chosen].astype(np.uint64)])
        chapter = np.searchsorted(stream.offsets, chosen + start, side="right")
        chapters = np.concatenate([chapters[-window:], chapter])
        yield _Piece(tokens, chapters, first_new)


def _occurrences(piece: _Piece, window: int) -> np.ndarray:
    """Return each place where two tokens stand together, as pair << 8 | distance, uint64 [occurrence]."""
    parts = [np.empty(0, dtype=np.uint64)]
    for distance in range(1, min(window, len(piece.tokens) - 1) + 1):
        first = max(piece.first_new, distance)
        right, left = piece.tokens[first:], piece.tokens[first - distance : len(piece.tokens) - distance]
        together = piece.chapters[first:] == piece.chapters[first - distance : len(piece.tokens) - distance]
        low, high = np.minimum(left, right)[together], np.maximum(left, right)[together]
        parts.append((((low << _TOKEN_BITS) | high) << _DISTANCE_BITS) | np.uint64(distance))
    return np.concatenate(parts)


def _sum_occurrences(occurrences: np.ndarray) -> Pairs:
    """Sort the occurrences in place and sum 1/distance for each pair."""
    occurrences.sort()
    inverse = np.round(1.0 / np.maximum(np.arange(WINDOW_MAX + 1), 1) / _QUANTUM) * _QUANTUM
    return _sum_sorted(occurrences >> _DISTANCE_BITS, inverse[occurrences & _DISTANCE_MASK])


def _sum_sorted(pair: np.ndarray, weight: np.ndarray) -> Pairs:
    """Sum the weights of equal neighbours."""
    if not len(pair):
        return Pairs(pair, weight)
    first = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]]))
    return Pairs(pair[first], np.add.reduceat(weight, first))


def merge_runs(runs: Sequence[CooccurrenceFile], pairs_max: int) -> Iterator[Pairs]:
    """Merge sorted runs; yield their pairs in ascending order, about `pairs_max` held at once.

    Each round takes from all runs what lies up to the smallest last pair of the blocks in view: nothing smaller can
    follow in any of them.
    """
    block = max(1, pairs_max // max(1, len(runs)))
    places = [0] * len(runs)
    while left := [number for number, run in enumerate(runs) if places[number] < len(run)]:
        views = {number: runs[number].read(places[number], block) for number in left}
        limit = min(view.pair[-1] for view in views.values())
        taken = {number: int(np.searchsorted(view.pair, limit, side="right")) for number, view in views.items()}
        for number, count in taken.items():
            places[number] += count
        pair = np.concatenate([view.pair[: taken[number]] for number, view in views.items()])
        weight = np.concatenate([view.weight[: taken[number]] for number, view in views.items()])
        order = np.argsort(pair, kind="stable")
        yield _sum_sorted(pair[order], weight[order])


def _write_run(path: Path, pairs: Pairs) -> CooccurrenceFile:
    append_pairs(path, pairs)
    return CooccurrenceFile(path)


def append_pairs(path: Path, pairs: Pairs) -> None:
    """Write pairs behind what a file holds."""
    entries = np.empty(len(pairs.pair), dtype=_ENTRY)
    entries["pair"], entries["weight"] = pairs
    with path.open("ab") as file:
        entries.tofile(file)
