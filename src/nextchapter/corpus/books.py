"""The chapters of a book and the tables that hold them."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nextchapter.store.files import atomic_path

SCHEMA = pa.schema(
    [
        ("book", pa.string()),
        ("author", pa.string()),
        ("title", pa.string()),
        ("volume", pa.string()),
        ("chapter", pa.int64()),
        ("heading", pa.string()),
        ("text", pa.string()),
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
    """Its place in the book, from 1; never restarts. What is no chapter has 0."""
    heading: str
    """Its heading as printed, or empty."""
    text: str
    """Its paragraphs, a blank line between them."""
    kind: str = "chapter"
    """What it is: a `chapter`, or a `prologue`, `preface`, `introduction`, `epilogue` or `afterword`."""

    @property
    def sha256(self) -> str:
        """Digest of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def write_chapters(path: Path, chapters: Iterable[Chapter]) -> None:
    """Write chapters as a Parquet table, atomically; equal chapters give equal bytes."""
    rows = [{**asdict(chapter), "sha256": chapter.sha256} for chapter in chapters]
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), temporary, compression="zstd")


def read_chapters(path: Path) -> list[Chapter]:
    """Return the chapters in a Parquet table."""
    columns = [field.name for field in SCHEMA if field.name != "sha256"]
    return [Chapter(**row) for row in pq.read_table(path, columns=columns).to_pylist()]
