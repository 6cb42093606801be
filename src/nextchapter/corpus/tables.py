"""Tables of texts: the rows of Parquet, JSON lines and CSV files, read one after another in bounded memory."""

import codecs
import csv
import io
import itertools
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from nextchapter.corpus.decoding import decode
from nextchapter.corpus.document import Limits, Record, UnreadableBookError
from nextchapter.shelf import DistinctNames, Refused

MOST_BOOKS = 100_000
"""Books that one table or archive may hold."""
MOST_SPOOLED_BYTES = 2_000_000_000
"""Largest Parquet table that is unpacked to the disk: Parquet can't be read from its beginning on."""

_TEXT_NAMES = ("text", "content", "body", "chapter_text", "story", "document", "passage", "sentence")
_TITLE_NAMES = ("title", "book_title", "book")
_AUTHOR_NAMES = ("author", "authors")
_CHAPTER_NAMES = ("chapter_title", "heading", "chapter", "chapter_number")
_DELIMITERS = ",;\t|"
_AS_WINDOWS_1252 = "nextchapter.windows-1252"
"""Name of the way to read what is no UTF-8."""
_LONGEST_COLUMN_NAME = 200
_SAMPLE_ROWS, _SAMPLE_CHARACTERS = 20, 1 << 20
_CHUNK_BYTES = 1 << 16
_LONG_LINE = 1 << 20
_BATCH_ROWS = 8  # as many copies of one long text can a page of a few bytes stand for
_MOST_CELL = 1000
_MOST_PARTS = 200_000
_MOST_DELIMITERS = 2_000_000
_SURROGATES = re.compile("[\ud800-\udfff]")

Row = tuple[int, Mapping[str, Any] | str]
"""Number of a row, from 1, and its values by column; or in their place why it can't be read."""


@dataclass(frozen=True)
class Columns:
    """Which column of a table holds what; None where none does."""

    text: str
    title: str | None
    author: str | None
    chapter: str | None

    @property
    def names(self) -> list[str]:
        """The columns that are there."""
        return [name for name in (self.text, self.title, self.author, self.chapter) if name is not None]


def read_table(stream: BinaryIO, kind: str, name: str, file: str, limits: Limits) -> Iterator[Record | Refused]:
    """Yield the rows of a table that have a text; then, for each reason, how many have none.

    Rows of one title that follow each other are a book. Where a title comes again later, or its book grows too
    large, a new one begins: `title (2)`.

    Args:
        stream: the bytes of the table, no longer compressed.
        kind: its suffix, one of `shelf.TABLES`.
        name: its path in the shelf without suffix.
        file: its path in the shelf.
        limits: what a book may take.

    Raises:
        UnreadableBookError: it is no such table, or no column holds texts.
        OSError: it can't be read.
    """
    if kind == ".parquet" and not stream.seekable():
        with tempfile.TemporaryFile() as spool:
            copy_bounded(stream, spool, MOST_SPOOLED_BYTES, "unpack it first")
            spool.seek(0)
            yield from read_table(spool, kind, name, file, limits)
        return
    if kind == ".parquet":
        columns, rows = _open_parquet(stream)
    elif kind in (".csv", ".tsv"):
        columns, rows = _open_rows(_csv_rows(stream, "\t" if kind == ".tsv" else None, limits.book_bytes))
    else:
        columns, rows = _open_rows(_json_rows(stream, limits.book_bytes))
    yield from _records(rows, columns, name, file, limits)


def copy_bounded(source: BinaryIO, target: BinaryIO, most_bytes: int, advice: str) -> None:
    """Copy a stream to another.

    Raises:
        UnreadableBookError: it has more bytes than allowed; the message ends in `advice`.
    """
    left = most_bytes
    while chunk := source.read(_CHUNK_BYTES):
        left -= len(chunk)
        if left < 0:
            raise UnreadableBookError(f"unpacked it has more than {megabytes(most_bytes)} MB; {advice}")
        target.write(chunk)


def megabytes(size_bytes: int) -> str:
    """Return a size for a message: `64`, `1,200`, `0.3`."""
    return f"{size_bytes / 1e6:,.1f}".removesuffix(".0")


def choose_columns(names: Sequence[str], textual: Sequence[str], sample: Sequence[Mapping[str, Any]]) -> Columns:
    """Return which columns hold the text, title, author and chapter.

    They are found by name, in any case. Where no name tells the text, it is the longest of the text columns.

    Args:
        names: all columns.
        textual: those that hold strings.
        sample: the first rows, which tell how long the strings are.

    Raises:
        UnreadableBookError: there is no text column; the message lists the columns.
    """
    title, author, chapter = (_named(names, known) for known in (_TITLE_NAMES, _AUTHOR_NAMES, _CHAPTER_NAMES))
    candidates = [name for name in textual if name not in (title, author, chapter)]
    text = _named(textual, _TEXT_NAMES)
    if text is None and candidates:
        text = max(candidates, key=lambda name: sum(len(str(row.get(name) or "")) for row in sample))
    if text is None:
        found = ", ".join(name[:40] for name in names[:20]) or "none"
        raise UnreadableBookError(f"no column of texts; call it `text`. The columns are: {found}")
    return Columns(text, title, author, chapter)


def _named(names: Sequence[str], known: Sequence[str]) -> str | None:
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in known if name in by_lower), None)


def _records(rows: Iterable[Row], columns: Columns, name: str, file: str, limits: Limits) -> Iterator[Record | Refused]:
    books = _Books(name, limits.book_bytes)
    bad: dict[str, list[int]] = {}
    for number, row in rows:
        try:
            record = _record(row, columns, books, file)
        except UnreadableBookError as error:
            count_and_first = bad.setdefault(str(error), [0, number])
            count_and_first[0] += 1
        else:
            yield record
    for reason, (count, first) in bad.items():
        yield Refused(file, f"row {first}: {reason}" if count == 1 else f"{count:,} rows, from row {first}: {reason}")


def _record(row: Mapping[str, Any] | str, columns: Columns, books: "_Books", file: str) -> Record:
    if isinstance(row, str):
        raise UnreadableBookError(row)
    value = row.get(columns.text)
    if not isinstance(value, str) or not value.strip():
        raise UnreadableBookError(f"no text in the column {columns.text!r}"[:_MOST_CELL])
    text = _SURROGATES.sub("\ufffd", value)
    title, author = _cell(row, columns.title), _cell(row, columns.author)
    chapter = None if columns.chapter is None else _cell(row, columns.chapter)
    return Record(books.name_of(title, len(text.encode())), file, title, author, chapter, text)


def _cell(row: Mapping[str, Any], column: str | None) -> str:
    """Return a title, an author or a heading on one line; several authors with commas."""
    value = row.get(column) if column is not None else None
    parts = value if isinstance(value, list) else [value]
    text = ", ".join(f"{part:.15g}" if isinstance(part, float) else str(part) for part in parts if part is not None)
    if len(text) > _MOST_CELL:
        raise UnreadableBookError(f"the column {column!r} has more than {_MOST_CELL:,} characters"[:_MOST_CELL])
    return " ".join(_SURROGATES.sub("\ufffd", text).split())


class _Books:
    """Names the books of a table while its rows go by."""

    def __init__(self, table: str, book_bytes: int) -> None:
        self._table, self._book_bytes = table, book_bytes
        self._names = DistinctNames()
        self._title: str | None = None
        self._name, self._size_bytes = table, 0

    def name_of(self, title: str, size_bytes: int) -> str:
        """Return the name of the book that the next row belongs to."""
        if size_bytes > self._book_bytes:
            raise UnreadableBookError("longer than a book may be (corpus.max_book_mb)")
        if title != self._title or self._size_bytes + size_bytes > self._book_bytes:
            if len(self._names) == MOST_BOOKS:
                raise UnreadableBookError(f"a table may hold {MOST_BOOKS:,} books; split it")
            self._title, self._size_bytes = title, 0
            self._name = self._names.add(f"{self._table}/{title.replace('/', '-')}" if title else self._table)
        self._size_bytes += size_bytes
        return self._name


def _open_rows(rows: Iterator[Row]) -> tuple[Columns, Iterator[Row]]:
    """Return the columns of rows whose columns are not known beforehand, and all the rows."""
    head: list[Row] = []
    sample: list[Mapping[str, Any]] = []
    sample_characters = 0
    for number, row in itertools.islice(rows, 50 * _SAMPLE_ROWS):
        head.append((number, row))
        if not isinstance(row, str):
            sample.append(row)
            sample_characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(sample) == _SAMPLE_ROWS or sample_characters > _SAMPLE_CHARACTERS:
            break
    if not sample:
        raise UnreadableBookError(f"no row can be read; the first is {head[0][1]}" if head else "the table is empty")
    names = list(dict.fromkeys(name for row in sample for name in row))
    textual = [name for name in names if any(isinstance(row.get(name), str) for row in sample)]
    return choose_columns(names, textual, sample), itertools.chain(head, rows)


def _open_parquet(stream: BinaryIO) -> tuple[Columns, Iterator[Row]]:
    try:
        table = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
        names = table.schema_arrow.names
        if len(set(names)) < len(names):
            raise UnreadableBookError("two columns of the table have one name")
        textual = [field.name for field in table.schema_arrow if _holds_strings(field.type)]
        short = [field.name for field in table.schema_arrow if _is_short(field.type)]
        first = next(table.iter_batches(_BATCH_ROWS, columns=textual, use_threads=False), None)
        sample = first.to_pylist() if first is not None else []
    except (pa.ArrowException, ValueError) as error:
        raise UnreadableBookError(f"no Parquet table that can be read: {_first_line(error)}") from error
    columns = choose_columns([*textual, *short], textual, sample)
    return columns, _parquet_rows(table, columns)


def _parquet_rows(table: pq.ParquetFile, columns: Columns) -> Iterator[Row]:
    number = 0
    try:
        for batch in table.iter_batches(_BATCH_ROWS, columns=columns.names, use_threads=False):
            batch.validate(full=True)
            cells = {name: batch.column(name) for name in columns.names}
            for place in range(batch.num_rows):
                number += 1
                yield number, {name: column[place].as_py() for name, column in cells.items()}
    except (pa.ArrowException, OSError, ValueError) as error:
        yield number + 1, f"it and all that follow can't be read: {_first_line(error)}"


def _holds_strings(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(test(value) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_short(kind: pa.DataType) -> bool:
    """Return whether a column can hold a number of a chapter, or several authors."""
    return pa.types.is_integer(kind) or (pa.types.is_list(kind) and _holds_strings(kind.value_type))


def _json_rows(stream: BinaryIO, line_bytes: int) -> Iterator[Row]:
    for number in itertools.count(1):
        line = stream.readline(line_bytes + 1)
        if not line:
            return
        if len(line) > line_bytes:
            _skip_line(stream, line)
            yield number, "longer than a book may be (corpus.max_book_mb)"
        elif line := line.strip(b"\xef\xbb\xbf \t\r\n" if number == 1 else None):
            yield number, _parse_json(line)


def _parse_json(line: bytes) -> dict[str, Any] | str:
    if len(line) > _LONG_LINE and _count_parts(line) > _MOST_PARTS:
        return f"a JSON object of more than {_MOST_PARTS:,} parts"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "not valid JSON"
    return value if isinstance(value, dict) else "not a JSON object"


def _count_parts(line: bytes) -> int:
    """Return how many quotes or characters outside strings a line of JSON has, whichever is more.

    A list of empty lists takes thirty times the memory of its line, a long string does not.
    """
    bare = line.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = bare.count(b'"')
    return quotes if quotes > _MOST_PARTS else sum(map(len, bare.split(b'"')[::2]))


def _csv_rows(stream: BinaryIO, delimiter: str | None, row_characters: int) -> Iterator[Row]:
    csv.field_size_limit(max(csv.field_size_limit(), row_characters))  # of the whole process: there is no other
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), _LONG_LINE)
    sample = buffered.peek()
    if len(sample) == _LONG_LINE:  # cut off, perhaps within a character
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    encoding, errors = decode(sample).encoding, _AS_WINDOWS_1252 if sample.isascii() else "replace"
    with io.TextIOWrapper(buffered, encoding, errors=errors, newline="") as text:
        first = text.readline(_LONG_LINE).lstrip("\ufeff")
        delimiter = delimiter or max(_DELIMITERS, key=lambda mark: len(_split_line(first, mark)))
        header = [name.strip() for name in _split_line(first, delimiter)]
        if any(len(name) > _LONGEST_COLUMN_NAME for name in header):
            raise UnreadableBookError("its first line is no header; put a line with the names of the columns above it")
        yield from _parse_csv(_CsvLines(text, delimiter, row_characters), delimiter, header)


def _read_as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Return what bytes that are no UTF-8 mean in Windows-1252, and where to go on behind them.

    A table whose beginning is all ASCII may be in either.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_AS_WINDOWS_1252, _read_as_windows_1252)


def _parse_csv(lines: "_CsvLines", delimiter: str, header: Sequence[str]) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter)
    for number in itertools.count(1):
        lines.start_row()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield number, f"not valid CSV: {error}"
            continue
        if cells is None:
            return
        if len(cells) == len(header):
            yield number, dict(zip(header, cells, strict=True))
        elif cells:
            yield number, "not as many cells as the header has"


def _split_line(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


class _CsvLines:
    """Hands lines to the parser of CSV, a bounded number of characters a row: an open quote ends at no line."""

    def __init__(self, text: io.TextIOWrapper, delimiter: str, row_characters: int) -> None:
        self._text, self._delimiter, self._row_characters = text, delimiter, row_characters
        self._left = row_characters

    def start_row(self) -> None:
        """Count the characters from here."""
        self._left = self._row_characters

    def __iter__(self) -> "_CsvLines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            _skip_line(self._text, line)
            raise csv.Error("longer than a book may be (corpus.max_book_mb)")
        if line.count(self._delimiter) > _MOST_DELIMITERS:
            raise csv.Error(f"a line of more than {_MOST_DELIMITERS:,} cells")
        return line


def _skip_line(stream: BinaryIO | io.TextIOWrapper, line: bytes | str) -> None:
    """Read on to the end of a line whose beginning has been read."""
    while line and line[-1] not in ("\n", "\r", 10):
        line = stream.readline(_LONG_LINE)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
