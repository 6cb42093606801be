"""Duplicates on a shelf: a chapter or book that comes again, in the same words or in nearly the same.

Chapters that their signatures call similar are read again and compared shingle by shingle, so that decision and figure
are exact. Whether a book holds a text is told from the shingles of one hash value in 32, and for a short text likewise
from both texts: the share of n sampled shingles has a standard deviation of sqrt(s (1 - s) / n), 0.05 for 2,000 words,
and 0.01 for a novel.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.parquet as pq

from nextchapter.corpus.candidates import Holders, SimilarTexts
from nextchapter.corpus.shingles import Hashes, containment, hash_shingles, jaccard, union
from nextchapter.corpus.sketches import PERMUTATIONS, SHINGLE_WORDS, Sketches

SAMPLE_MIN = 48
"""Whether a book holds a text is asked of texts with so many sampled shingles, about 1,500 words."""
DEVIATIONS = 4.0
"""A pair whose estimate is below the threshold by fewer of its standard deviations is compared all the same."""
SAMPLE_ENOUGH = 1000
"""Of a text with so many, about 32,000 words, the estimate is good enough; a shorter one is read and compared."""
HOLDER_DEVIATIONS = 2.0
"""An estimate that a book holds a text must be above the threshold by so many standard deviations."""
COMPARED_MAX = 3
"""A chapter is compared with no more than so many others, the likeliest; so a shelf of near copies takes no ages."""


@dataclass(frozen=True)
class Duplicate:
    """A chapter, or a whole book, that is left out because an earlier text holds it."""

    book: str
    chapter: int | None
    """None: the whole book."""
    same_as_book: str
    same_as_chapter: int | None
    """None: the whole book."""
    similarity: float
    """Share of common word 5-grams (Jaccard); of a text that is contained, the share of its own that the other has."""
    kind: Literal["same", "similar", "contained"]
    """The same text letter by letter; a similar one; a part of a longer one."""


def find_duplicates(sketches: Sequence[Sketches], order: Sequence[str], similarity: float) -> list[Duplicate]:
    """Return what is left out of a shelf, in its order, each with an earlier text that holds it.

    A book is left out when one earlier book holds the share `similarity` of its 5-grams: so another edition of it, or
    a collection with it in. Of the other books, a chapter is left out when it has the text of an earlier chapter, or is
    similar to one, or is contained in an earlier book. So a collection that comes after the books in it loses those.

    Args:
        sketches: of all tables.
        order: the books as they stand on the shelf; of two that are alike the first is kept.
        similarity: share of common 5-grams from which a text is a duplicate, above 0 up to 1.

    Raises:
        ValueError: a table has a book that is not in `order`.
    """
    shelf = _Shelf(sketches, order)
    search = _Search(shelf, similarity)
    found = []
    for number, members in enumerate(shelf.members):
        if whole := search.find_book(number):
            found.append(whole)
        else:
            found += _find_chapters(search, members)
            search.keep_book(number)
    return found


def _find_chapters(search: "_Search", chapters: Sequence[int]) -> Iterator[Duplicate]:
    for index in chapters:
        if copy := search.find_chapter(index):
            yield copy
        else:
            search.keep_chapter(index)


class _Shelf:
    """All chapters in the order of the shelf: their sketches, and their texts when they are asked for."""

    def __init__(self, sketches: Sequence[Sketches], order: Sequence[str]) -> None:
        rank = {book: place for place, book in enumerate(order)}
        if unknown := {place.book for table in sketches for place in table.places} - rank.keys():
            raise ValueError(f"books that stand nowhere on the shelf: {sorted(unknown)}")
        rows = [(table, row) for table in sketches for row in range(len(table.places))]
        rows.sort(key=lambda entry: (rank[(place := entry[0].places[entry[1]]).book], place.chapter))
        self.places = [table.places[row] for table, row in rows]
        self.samples = [table.samples[row] for table, row in rows]
        self.signatures = np.array([table.signatures[row] for table, row in rows]).reshape(-1, PERMUTATIONS)
        members: dict[str, list[int]] = {}
        for index, place in enumerate(self.places):
            members.setdefault(place.book, []).append(index)
        self.books, self.members = list(members), list(members.values())
        self._rows = [(table.path, row) for table, row in rows]
        self._read_texts = lru_cache(2)(_read_texts)
        self.chapter_shingles = lru_cache(256)(self._chapter_shingles)
        self.book_shingles = lru_cache(2)(self._book_shingles)

    def digests(self, book: int) -> list[str]:
        """Return what tells whether two books are the same letter by letter."""
        return [self.places[index].sha256 for index in self.members[book]]

    def _chapter_shingles(self, index: int) -> Hashes:
        """Return the distinct shingles of a chapter, sorted."""
        path, row = self._rows[index]
        starts = _row_group_starts(path)
        group = bisect_right(starts, row) - 1
        text = self._read_texts(path, group)[row - starts[group]].as_py()
        return np.unique(hash_shingles(text, SHINGLE_WORDS))

    def _book_shingles(self, book: int) -> Hashes:
        return union([self._chapter_shingles(index) for index in self.members[book]])


def _row_group_starts(path: Path) -> list[int]:
    metadata = pq.read_metadata(path)
    sizes = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    return list(accumulate(sizes, initial=0))[:-1]


def _read_texts(path: Path, group: int) -> Any:
    with pq.ParquetFile(path) as table:
        return table.read_row_group(group, columns=["text"], use_threads=False)["text"]


class _Search:
    """Compares books and chapters with those that have been kept so far."""

    def __init__(self, shelf: _Shelf, similarity: float) -> None:
        self._shelf, self._similarity = shelf, similarity
        self._book_samples = [union([shelf.samples[index] for index in members]) for members in shelf.members]
        self._holders = Holders(self._book_samples)
        self._similar = SimilarTexts(shelf.signatures, similarity)
        self._first_with: dict[str, int] = {}
        self._is_kept = np.zeros(len(shelf.books), bool)

    def find_book(self, book: int) -> Duplicate | None:
        """Return a book as the duplicate of a kept one that holds it, or None."""
        shelf = self._shelf
        holder = self._holder(self._book_samples[book], lambda: shelf.book_shingles(book))
        if holder is None:
            return None
        share, other = holder
        pair = (shelf.books[book], None, shelf.books[other], None)
        if shelf.digests(book) == shelf.digests(other):
            return Duplicate(*pair, 1.0, "same")
        likeness = jaccard(self._book_samples[book], self._book_samples[other])
        if likeness >= self._similarity:
            return Duplicate(*pair, likeness, "similar")
        return Duplicate(*pair, share, "contained")

    def find_chapter(self, index: int) -> Duplicate | None:
        """Return a chapter as the duplicate of a kept chapter or book, or None."""
        shelf = self._shelf
        book, chapter, sha256 = shelf.places[index]
        if sha256 in self._first_with:
            first = shelf.places[self._first_with[sha256]]
            return Duplicate(book, chapter, first.book, first.chapter, 1.0, "same")
        if similar := self._most_similar(index):
            likeness, other = similar
            return Duplicate(book, chapter, shelf.places[other].book, shelf.places[other].chapter, likeness, "similar")
        if holder := self._holder(shelf.samples[index], lambda: shelf.chapter_shingles(index)):
            share, number = holder
            return Duplicate(book, chapter, shelf.books[number], None, share, "contained")
        return None

    def keep_chapter(self, index: int) -> None:
        """Let later chapters be compared with this one."""
        self._first_with[self._shelf.places[index].sha256] = index
        self._similar.keep(index)

    def keep_book(self, book: int) -> None:
        """Let later books and chapters be compared with this book."""
        self._is_kept[book] = True

    def _holder(self, sample: Hashes, read_shingles: Callable[[], Hashes]) -> tuple[float, int] | None:
        """Return the share of a text that a kept book holds, and the book that holds most; None if too little."""
        if len(sample) < SAMPLE_MIN or not self._is_kept.any():
            return None
        shares = np.where(self._is_kept, self._holders.shares(sample), 0.0)
        book = int(np.argmax(shares))
        share = float(shares[book])
        if share < self._similarity + HOLDER_DEVIATIONS * self._deviation(len(sample)):
            return None
        if len(sample) < SAMPLE_ENOUGH:  # the greatest of many uncertain estimates is too great
            share = containment(read_shingles(), self._shelf.book_shingles(book))
        return (share, book) if share >= self._similarity else None

    def _most_similar(self, index: int) -> tuple[float, int] | None:
        """Return the similarity of a chapter to a kept one, and the likeliest such one; None if there is none."""
        others, estimates = self._similar.find(index)
        is_open = estimates >= self._similarity - DEVIATIONS * self._deviation(PERMUTATIONS)
        shingles = self._shelf.chapter_shingles
        for other in others[is_open][np.argsort(-estimates[is_open], kind="stable")][:COMPARED_MAX].tolist():
            likeness = jaccard(shingles(index), shingles(other))
            if likeness >= self._similarity:
                return likeness, other
        return None

    def _deviation(self, observations: int) -> float:
        """Return the standard deviation of an estimate at the threshold."""
        return math.sqrt(self._similarity * (1 - self._similarity) / observations)
