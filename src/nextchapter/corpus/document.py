"""What passes from reading to cleaning: a book as its file gives it, or the reason why it can't be read."""

from dataclasses import dataclass

HEADING = "\x02"
"""First character of a line that the format itself marks as a heading; its level, a digit from 1, comes next."""


class UnreadableBookError(ValueError):
    """A file is no book that can be read; the message says why."""


@dataclass(frozen=True)
class Limits:
    """How much a single book may take, so that no file can fill the memory or the disk."""

    book_bytes: int = 64_000_000
    """Largest size of a book as text, and of its file after unpacking."""
    convert_s: float = 120.0
    """Longest time that another program may take to convert a document."""


@dataclass(frozen=True)
class RawBook:
    """A book as it lies on the shelf, unpacked but not yet read."""

    name: str
    """Path in the shelf without suffix, inside its archive too: `old/shelf.zip` has `old/shelf/emma`."""
    file: str
    """Path in the shelf with suffixes, for messages: `old/shelf.zip/emma.epub.gz`."""
    data: bytes
    """The bytes of the file, no longer compressed."""


@dataclass(frozen=True)
class Record:
    """A row of a table of texts (Parquet, JSON lines, CSV); rows of one book follow each other."""

    name: str
    """Path of the book in the shelf: the table's without suffix, and the title where the table has titles."""
    file: str
    """Path of the table in the shelf."""
    title: str
    author: str
    chapter: str | None
    """Heading of the chapter that the row is; None where the table has no such column."""
    text: str


@dataclass(frozen=True)
class Document:
    """A book as text."""

    text: str
    """Paragraphs, blank lines between them. A heading that the format marks begins with `HEADING` and its level."""
    is_wrapped: bool = True
    """Whether the lines of a paragraph are those of a printed page; else they are the author's, as in verse."""
    title: str = ""
    author: str = ""
    language: str = ""
    """As the file declares it, or empty."""
    format: str = "plain text"
    """Name of the format, for a reader: `EPUB`, `HTML`, `plain text`."""
    encoding: str = ""
    encoding_note: str = ""
    """How the encoding was chosen where that was not certain, else empty."""


def heading_line(level: int, text: str) -> str:
    """Return a line that is a heading of a level from 1 to 9."""
    return f"{HEADING}{min(max(level, 1), 9)}{text}"


def read_heading(line: str) -> tuple[int, str] | None:
    """Return level and text of a line that is a heading, or None."""
    return (int(line[1]), line[2:]) if line.startswith(HEADING) else None
