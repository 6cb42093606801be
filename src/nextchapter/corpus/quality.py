"""The account of a shelf: what was read, what each split holds, what came twice, and what was not read."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nextchapter.corpus.books import Entry
from nextchapter.corpus.splits import SPLITS
from nextchapter.store.files import write_text

MANIFEST = ("book", "chapter", "heading", "split", "characters", "sha256")


def write_manifest(path: Path, entries: Sequence[Entry], splits: Sequence[str]) -> None:
    """Write a CSV with a row a chapter: which split it went to."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(MANIFEST)
    for entry, split in zip(entries, splits, strict=True):
        writer.writerow([entry.book, entry.chapter, entry.heading, split, entry.characters, entry.sha256])
    write_text(path, table.getvalue())


def describe_splits(books: int, entries: Sequence[Entry], splits: Sequence[str]) -> dict[str, Any]:
    """Return the totals of a shelf, and of each split, in chapters, characters and words."""
    parts = {
        split: _count(entry for entry, own in zip(entries, splits, strict=True) if own == split) for split in SPLITS
    }
    return {"books": books, **_count(entries), "splits": parts}


def describe_duplicates(duplicates: Iterable[Mapping[str, Any]], entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the copies that were left out, with headings and lengths; `chapter` is null for a whole book."""
    known = {(entry.book, entry.chapter): entry for entry in entries}
    of_book = Counter[str]()
    for entry in known.values():
        of_book[entry.book] += entry.characters

    def place(book: str, chapter: int | None) -> dict[str, Any]:
        entry = known.get((book, chapter)) if chapter is not None else None
        return {"book": book, "chapter": chapter, "heading": entry.heading if entry else ""}

    return [
        {
            **place(twin["book"], twin["chapter"]),
            "same_as": place(twin["same_as"]["book"], twin["same_as"]["chapter"]),
            "similarity": twin["similarity"],
            "kind": twin["kind"],
            "characters": of_book[twin["book"]]
            if twin["chapter"] is None
            else known[twin["book"], twin["chapter"]].characters,
        }
        for twin in duplicates
    ]


def _count(entries: Iterable[Entry]) -> dict[str, int]:
    chapters = characters = words = 0
    for entry in entries:
        chapters, characters, words = chapters + 1, characters + entry.characters, words + entry.words
    return {"chapters": chapters, "characters": characters, "words": words}
