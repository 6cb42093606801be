"""From a file of the shelf to its books: opened, read in their format, cleaned, their language told."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from nextchapter.corpus.books import Chapter
from nextchapter.corpus.cleaning import CleanBook, account, clean_document, clean_rows
from nextchapter.corpus.containers import open_shelf_file
from nextchapter.corpus.document import Document, Limits, RawBook, Record, UnreadableBookError
from nextchapter.corpus.formats.registry import read_document
from nextchapter.corpus.languages import UNDETERMINED, detect_language
from nextchapter.corpus.removals import Removals
from nextchapter.shelf import Refused, split_name

WHOLE_BOOK_CHARACTERS = 30_000
"""A row of a table without titles and chapters that is longer than this is read as a book with chapters of its own."""
PART_CHARACTERS = 8_000_000
"""A book of many rows is delivered in parts of this size, so that no table has to fit the memory."""

_COUNTS = {"count", "characters"}


def read_books(
    path: Path, file: str, name: str, limits: Limits, join_wrapped_lines: bool = True
) -> Iterator[CleanBook | Refused]:
    """Yield the books in a file of the shelf, and what in it can't be read.

    A book of a large table comes in several parts that follow each other.

    Args:
        path: where the file lies.
        file: its path in the shelf.
        name: what its book is called, or what the names of its books begin with.
        limits: how much a single book may take.
        join_wrapped_lines: whether the lines of hard-wrapped paragraphs are joined.
    """
    default = split_name(file).stem
    opened = open_shelf_file(path, file, limits)
    for own, found in groupby(opened, key=lambda item: item.name if isinstance(item, Record) else None):
        if own is not None:
            rows = (row for row in found if isinstance(row, Record))
            for part in _read_rows(rows, name + own.removeprefix(default), join_wrapped_lines):
                yield part if isinstance(part, Refused) else _with_language(part)
            continue
        for item in found:
            if isinstance(item, RawBook):
                yield _read_raw(item, name + item.name.removeprefix(default), limits, join_wrapped_lines)
            elif isinstance(item, Refused):
                yield item


def _read_raw(raw: RawBook, book: str, limits: Limits, join_wrapped_lines: bool) -> CleanBook | Refused:
    removals = Removals()
    try:
        document = read_document(raw, limits, removals)
    except UnreadableBookError as error:
        return Refused(raw.file, str(error))
    clean = clean_document(document, book, raw.file, removals, join_wrapped_lines)
    clean.quality["bytes"] = len(raw.data)
    return _with_language(clean)


def _read_rows(rows: Iterator[Record], book: str, join_wrapped_lines: bool) -> Iterator[CleanBook | Refused]:
    """Yield the book that successive rows make, each a chapter; or the books that rows are.

    A row is a book where it is the only one of its title and the table has no chapters, or where the table has no
    titles and it is as long as a book.
    """
    first, second = next(rows), next(rows, None)
    if second is None and first.chapter is None:
        yield _whole_book(first, book, join_wrapped_lines)
        return
    waiting: list[Record] = []
    number = delivered = characters = 0
    for place, row in enumerate(chain([first], [second] if second else [], rows), start=1):
        if not row.title and row.chapter is None and len(row.text) > WHOLE_BOOK_CHARACTERS:
            delivered += 1
            yield _whole_book(row, f"{book}/{place}", join_wrapped_lines)
            continue
        waiting.append(row)
        characters += len(row.text)
        if characters >= PART_CHARACTERS:
            yield from (parts := _parts(waiting, book, number, join_wrapped_lines))
            number += sum(len(part.chapters) for part in parts)
            waiting, characters = [], 0
    yield from (parts := _parts(waiting, book, number, join_wrapped_lines))
    if not (parts or number or delivered):
        yield Refused(row.file, f"there is no text in the rows of {_last(book)}")


def _whole_book(row: Record, book: str, join_wrapped_lines: bool) -> CleanBook:
    document = Document(row.text, title=row.title, author=row.author, format="table")
    clean = clean_document(document, book, row.file, Removals(), join_wrapped_lines)
    return CleanBook(clean.chapters, clean.matter, {**clean.quality, "bytes": len(row.text)})


def _parts(rows: Sequence[Record], book: str, before: int, join_wrapped_lines: bool) -> list[CleanBook]:
    """Return the part of a book that some rows make, behind so many chapters; nothing where they hold no text."""
    removals = Removals()
    chapters: list[Chapter] = []
    for row, text in zip(rows, clean_rows([row.text for row in rows], removals, join_wrapped_lines), strict=True):
        if text:
            number = before + len(chapters) + 1
            chapters.append(Chapter(book, row.author, row.title or _last(book), "", number, row.chapter or "", text))
        else:
            removals.add("row without text", row.chapter or "")
    if not chapters:
        return []
    document = Document("", title=chapters[0].title, author=chapters[0].author, format="table")
    told = account(document, book, rows[0].file, chapters, [], "rows of a table", removals)
    return [CleanBook(chapters, [], {**told, "bytes": told["characters"]})]


def _last(book: str) -> str:
    return book.rpartition("/")[2]


def _with_language(clean: CleanBook) -> CleanBook:
    """Return a book with its language in each chapter and in its record."""
    language, confidence = detect_language([chapter.text for chapter in clean.chapters])
    if language == UNDETERMINED:
        language = clean.quality["language"] or language
    quality = {**clean.quality, "language": language, "language_confidence": confidence}
    told = [[replace(part, language=language) for part in parts] for parts in (clean.chapters, clean.matter)]
    return CleanBook(told[0], told[1], quality)


def merge_records(before: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a book that came in two parts."""
    sums = ("characters", "words", "chapters", "bytes")
    merged = {**before, **{key: before[key] + part[key] for key in sums}}
    merged["row_groups"] = [before["row_groups"][0], part["row_groups"][1]]
    merged |= {key: before[key] + part[key] for key in ("lengths", "nearly_empty")}
    for account_of in ("removed", "repaired"):
        merged[account_of] = _merge_accounts(before[account_of], part[account_of])
    return merged


def _merge_accounts(before: list[dict[str, Any]], part: list[dict[str, Any]]) -> list[dict[str, Any]]:
    merged: dict[str, dict[str, Any]] = {}
    for record in [*before, *part]:
        known = merged.setdefault(record["reason"], {**record, **dict.fromkeys(_COUNTS & record.keys(), 0)})
        known |= {key: known[key] + record[key] for key in _COUNTS & record.keys()}
    return list(merged.values())
