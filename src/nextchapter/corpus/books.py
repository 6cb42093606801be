"""The chapters of books and the tables that hold them."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from nextchapter.corpus.words import count_words
from nextchapter.store.files import atomic_path

GROUP_CHARACTERS = 8_000_000
"""Text of a row group: what is held in memory when a table is written or read."""
SCHEMA = pa.schema(
    [
        ("book", pa.string()),
        ("author", pa.string()),
        ("title", pa.string()),
        ("language", pa.string()),
        ("volume", pa.string()),
        ("chapter", pa.int64()),
        ("kind", pa.string()),
        ("heading", pa.string()),
        ("text", pa.string()),
        ("characters", pa.int64()),
        ("words", pa.int64()),
        ("sha256", pa.string()),
    ]
)


@dataclass(frozen=True)
class Chapter:
    """A chapter, as a row of a table."""

    book: str
    """Path of the book in the shelf, without suffix."""
    author: str
    title: str
    """Title of the book."""
    volume: str
    """Heading of the volume, part or act that it stands in, or empty."""
    chapter: int
    """Its place in the book, from 1; never restarts. 0 where it is no chapter that counts."""
    heading: str
    """Its heading as printed, or empty."""
    text: str
    """Its paragraphs, a blank line between them."""
    kind: str = "chapter"
    """`chapter`, or `prologue`, `preface`, `epilogue` and the like."""
    language: str = ""
    """Language of the book, as an ISO 639 code."""

    @property
    def sha256(self) -> str:
        """Digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Entry(NamedTuple):
    """A chapter without its text: what splitting a shelf needs to know of it."""

    book: str
    chapter: int
    heading: str
    characters: int
    words: int
    sha256: str


class ChapterTable:
    """A Parquet table that is written as the chapters come; equal chapters give equal bytes."""

    def __init__(self, path: Path) -> None:
        """Open the file; `chapter_table` closes it and gives it its name."""
        self._writer = pq.ParquetWriter(path, SCHEMA, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._waiting = 0
        self.groups = 0
        """Number of row groups written."""

    def add(self, chapters: Iterable[Chapter]) -> int:
        """Add chapters, and return their words; a row group is written whenever enough text waits."""
        total = 0
        for chapter in chapters:
            words = count_words(chapter.text)
            total += words
            facts = {"characters": len(chapter.text), "words": words, "sha256": chapter.sha256}
            self.add_row({**vars(chapter), **facts})
        return total

    def add_row(self, row: dict[str, Any]) -> None:
        """Add a row with all columns of `SCHEMA`."""
        self._rows.append(row)
        self._waiting += len(row["text"])
        if self._waiting >= GROUP_CHARACTERS:
            self.end_group()

    def end_group(self) -> None:
        """Write what waits as a row group."""
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, SCHEMA))
            self.groups += 1
        self._rows, self._waiting = [], 0

    def close(self) -> None:
        """Write what waits, and the end of the file."""
        self.end_group()
        self._writer.close()


def with_text(row: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the row of a chapter with another text, and the counts of that."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {**row, "text": text, "characters": len(text), "words": count_words(text), "sha256": digest}


@contextmanager
def chapter_table(path: Path) -> Iterator[ChapterTable]:
    """Open a table for writing; it takes its name at the end, when it is whole."""
    with atomic_path(path) as temporary:
        table = ChapterTable(temporary)
        try:
            yield table
        finally:
            table.close()


def write_chapters(path: Path, chapters: Iterable[Chapter]) -> None:
    """Write chapters as a Parquet table, atomically."""
    with chapter_table(path) as table:
        table.add(chapters)


def read_chapters(path: Path) -> list[Chapter]:
    """Return the chapters in a Parquet table."""
    columns = [field.name for field in SCHEMA if field.name not in ("characters", "words", "sha256")]
    return [Chapter(**row) for row in pq.read_table(path, columns=columns).to_pylist()]
