"""The account of a shelf: what was read, what each split holds, and what came twice."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nextchapter.corpus.books import Chapter
from nextchapter.corpus.splits import SPLITS
from nextchapter.corpus.words import count_words
from nextchapter.store.files import write_text

MANIFEST = ("book", "chapter", "heading", "split", "characters", "sha256")


def write_manifest(path: Path, chapters: Sequence[Chapter], splits: Sequence[str]) -> None:
    """Write a CSV with a row a chapter: which split it went to."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(MANIFEST)
    for chapter, split in zip(chapters, splits, strict=True):
        characters = len(chapter.text)
        writer.writerow([chapter.book, chapter.chapter, chapter.heading, split, characters, chapter.sha256])
    write_text(path, table.getvalue())


def describe_shelf(
    shelf: str,
    books: Sequence[Mapping[str, Any]],
    chapters: Sequence[Chapter],
    splits: Sequence[str],
    repeated: Sequence[tuple[Chapter, Chapter]],
) -> dict[str, Any]:
    """Return the quality record of a shelf.

    Args:
        shelf: where the books come from.
        books: the record of each book.
        chapters: the chapters that are used.
        splits: the split of each.
        repeated: the chapters that are not, each with the one whose text it repeats.
    """
    parts = {
        split: _count([chapter for chapter, own in zip(chapters, splits, strict=True) if own == split])
        for split in SPLITS
    }
    return {
        "shelf": shelf,
        "books": list(books),
        "totals": {"books": len(books), **_count(chapters), "splits": parts},
        "duplicates": [
            {**_place(chapter), "same_as": _place(original), "characters": len(chapter.text)}
            for chapter, original in repeated
        ],
    }


def _count(chapters: Sequence[Chapter]) -> dict[str, int]:
    return {
        "chapters": len(chapters),
        "characters": sum(len(chapter.text) for chapter in chapters),
        "words": sum(count_words(chapter.text) for chapter in chapters),
    }


def _place(chapter: Chapter) -> dict[str, Any]:
    return {"book": chapter.book, "chapter": chapter.chapter, "heading": chapter.heading}
