"""The cleaned books of a shelf, which lie in one table a shard: read in the order of the shelf, never whole."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from nextchapter.corpus.books import Entry
from nextchapter.store.files import read_json

_LIGHT = ["book", "chapter", "heading", "characters", "words", "sha256"]


@dataclass(frozen=True)
class ShelvedBook:
    """A book in the table of its shard."""

    table: Path
    groups: range
    """The row groups that hold it."""
    record: dict[str, Any]
    """What cleaning says of it."""

    @property
    def name(self) -> str:
        """Its path in the shelf, without suffix."""
        return str(self.record["book"])

    def entries(self) -> Iterator[Entry]:
        """Yield its chapters without their texts."""
        return (Entry(**row) for row in self.rows(_LIGHT))

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield its chapters as rows with these columns, or all; at most a row group is in memory."""
        with pq.ParquetFile(self.table) as file:
            for group in self.groups:
                yield from file.read_row_group(group, columns=columns).to_pylist()


@dataclass(frozen=True)
class Shelf:
    """The books of a shelf, in its order, and what was not read."""

    books: list[ShelvedBook]
    refused: list[dict[str, str]]
    """What was not read, as far as it is named."""
    refused_count: int

    @classmethod
    def open(cls, tables: Iterable[Path], records: Iterable[Path], in_name_order: bool) -> "Shelf":
        """Read the records of the shards.

        Args:
            tables: the table of each shard.
            records: the record of each shard, in the same order.
            in_name_order: whether the shelf's order is that of its files' names; else it is that of the shards.
        """
        files = [
            (file, table) for table, path in zip(tables, records, strict=True) for file in read_json(path)["files"]
        ]
        if in_name_order:
            files.sort(key=lambda entry: entry[0]["name"])
        books = [_shelved(record, table) for file, table in files for record in file["books"]]
        refused = [entry for file, _ in files for entry in file["refused"]]
        return cls(books, refused, sum(file["refused_count"] for file, _ in files))

    def in_languages(self, languages: Sequence[str]) -> tuple[list[ShelvedBook], list[ShelvedBook]]:
        """Return the books in some languages, all where none is given, and the others."""
        parts: tuple[list[ShelvedBook], list[ShelvedBook]] = ([], [])
        for book in self.books:
            is_foreign = bool(languages) and book.record["language"] not in languages
            parts[is_foreign].append(book)
        return parts


def _shelved(record: Mapping[str, Any], table: Path) -> ShelvedBook:
    start, stop = record["row_groups"]
    return ShelvedBook(table, range(start, stop), {key: record[key] for key in record if key != "row_groups"})
