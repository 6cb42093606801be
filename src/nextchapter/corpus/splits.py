"""Which chapter goes to training, validation and test.

Each book is divided by itself, so that a book that joins the shelf moves no chapter of the others: its chapters are
put in an order drawn by seed, book, chapter and text, and the first of them are taken. The last one taken is longer
than what is left of the share; it is drawn with the probability that makes the expected share exact.
"""

import hashlib
from collections.abc import Sequence

from nextchapter.corpus.books import Entry

SPLITS = ("train", "valid", "test")


class ShelfTooSmallError(ValueError):
    """There are too few chapters to give each split one."""


def assign_splits(chapters: Sequence[Entry], valid_share: float, test_share: float, seed: int) -> list[str]:
    """Return the split of each chapter; none is left empty.

    Args:
        chapters: all chapters of a shelf, in its order.
        valid_share: share of each book's characters for validation.
        test_share: share of each book's characters for the test.
        seed: another seed gives other splits.

    Raises:
        ShelfTooSmallError: there are fewer chapters than splits.
    """
    if len(chapters) < len(SPLITS):
        raise ShelfTooSmallError(
            f"the shelf is too small to split: found {len(chapters)} chapter{'s' * (len(chapters) != 1)}; "
            f"at least {len(SPLITS)} are needed, one each for {', '.join(SPLITS)}"
        )
    books: dict[str, list[int]] = {}
    for index, chapter in enumerate(chapters):
        books.setdefault(chapter.book, []).append(index)
    splits = ["train"] * len(chapters)
    for book, indices in books.items():
        waiting = sorted(indices, key=lambda index: _rank(chapters[index], seed))
        budget = sum(chapters[index].characters for index in indices)
        for split, share in (("test", test_share), ("valid", valid_share)):
            taken = _take(chapters, waiting, share * budget, _uniform(seed, book, split))
            for index in taken:
                splits[index] = split
            waiting = waiting[len(taken) :]
    _fill_empty(splits, sorted(range(len(chapters)), key=lambda index: _rank(chapters[index], seed)))
    return splits


def _take(chapters: Sequence[Entry], waiting: Sequence[int], characters: float, chance: float) -> list[int]:
    """Return the first chapters that hold so many characters; `chance`, from 0 to 1, decides on the last."""
    taken: list[int] = []
    for index in waiting:
        length = chapters[index].characters
        if length > characters:
            return [*taken, index] if chance * length < characters else taken
        taken.append(index)
        characters -= length
    return taken


def _fill_empty(splits: list[str], order: Sequence[int]) -> None:
    """Give each empty split a chapter: the first in order of the split that has most."""
    for split in ("test", "valid", "train"):
        if split not in splits:
            richest = max(SPLITS, key=splits.count)
            splits[next(index for index in order if splits[index] == richest)] = split


def _rank(chapter: Entry, seed: int) -> bytes:
    return _digest(seed, chapter.book, chapter.chapter, chapter.sha256)


def _uniform(*parts: object) -> float:
    return int.from_bytes(_digest(*parts)[:7]) / 2**56


def _digest(*parts: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).digest()
