"""Sketches: the little that is kept of each chapter to find what it is like, in one pass over the tables.

A sketch is a MinHash signature, which tells how alike two chapters are (Broder, 1997, "On the resemblance and
containment of documents"), and the shingles of one hash value in 32, which tell how much of a text stands in a book.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from datasketch import MinHash
from numpy.typing import NDArray

from nextchapter.corpus.shingles import Hashes, hash_shingles, sampled

SHINGLE_WORDS = 5
PERMUTATIONS = 128
"""Length of a signature: its estimate of a similarity s has a standard deviation of sqrt(s (1 - s) / 128)."""
ONE_IN = 32
"""One hash value in so many is sampled."""

_READ_CHAPTERS = 64
_PERMUTED_AT_ONCE = 1024
_PERMUTATIONS = MinHash(PERMUTATIONS).permutations


class Place(NamedTuple):
    """Which chapter a row of a table is."""

    book: str
    chapter: int
    sha256: str


@dataclass(frozen=True)
class Sketches:
    """What is kept of the chapters of a table, about 1 kB each; lists and arrays are in the order of its rows."""

    path: Path
    """The table."""
    places: list[Place]
    signatures: NDArray[np.uint32]
    """MinHash signatures, one a row."""
    samples: list[Hashes]
    """Of each chapter, the distinct sampled shingles, sorted."""


def sketch_tables(paths: Sequence[Path], threads: int = 1) -> list[Sketches]:
    """Return the sketches of several tables, in their order; the work is shared by so many processes."""
    workers = min(threads, len(paths))
    if workers < 2:
        return [sketch_chapters(path) for path in paths]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(sketch_chapters, paths, chunksize=-(-len(paths) // (4 * workers))))


def sketch_chapters(path: Path) -> Sketches:
    """Return the sketches of the chapters in a table; only a few texts are in memory at a time."""
    places: list[Place] = []
    signatures, samples = [], []
    with pq.ParquetFile(path) as table:
        columns = ["book", "chapter", "sha256", "text"]
        for batch in table.iter_batches(_READ_CHAPTERS, columns=columns, use_threads=False):
            for *place, text in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                shingles = hash_shingles(text, SHINGLE_WORDS)
                places.append(Place(*place))
                signatures.append(sign(shingles))
                samples.append(np.unique(sampled(shingles, ONE_IN)))
    return Sketches(path, places, np.array(signatures, np.uint32).reshape(-1, PERMUTATIONS), samples)


def sign(shingles: Hashes) -> NDArray[np.uint32]:
    """Return the MinHash signature of a set of shingles; it does not matter how often each is given."""
    signature = MinHash(PERMUTATIONS, hashfunc=_as_it_is, permutations=_PERMUTATIONS, scheme="affine32")
    short = shingles.astype(np.uint32)
    for start in range(0, len(short), _PERMUTED_AT_ONCE):
        # To datasketch a whole array is one value to hash; so numpy, not Python, goes over its members.
        signature.update_batch([short[start : start + _PERMUTED_AT_ONCE]])
    return np.asarray(signature.hashvalues, np.uint32)


def _as_it_is(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return hashes
