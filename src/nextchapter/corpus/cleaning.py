"""A book from its text to its chapters, with an account of what was removed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from nextchapter.corpus.books import Chapter
from nextchapter.corpus.chapters import NO_HEADINGS, Section, find_chapters
from nextchapter.corpus.characters import repair_characters
from nextchapter.corpus.decoding import BYTE_ORDER_MARK
from nextchapter.corpus.document import Document, heading_line
from nextchapter.corpus.formats.blocks import without_marks
from nextchapter.corpus.gutenberg import Frame, strip_end_mark, strip_frame
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.matter import CHAPTER
from nextchapter.corpus.notes import remove_notes
from nextchapter.corpus.pages import remove_page_marks
from nextchapter.corpus.paragraphs import Joiner, kept_paragraphs, split_blocks
from nextchapter.corpus.removals import Removals, ink
from nextchapter.corpus.sections import cut_sections
from nextchapter.corpus.words import count_words
from nextchapter.shelf import split_name

_ROW = heading_line(1, "row")
"""A line that parts the rows of a table, which no text can hold."""
_FEWEST_WRAPPED = 3
_WIDEST_WRAPPED = 120
_FULL_LINE, _FULL_SHARE = 0.75, 0.75
NEARLY_EMPTY = 200
"""Ink of a chapter below which the account names it."""


@dataclass(frozen=True)
class CleanBook:
    """The chapters of a book, and what is known of its quality."""

    chapters: list[Chapter]
    matter: list[Chapter]
    """What its author put before and behind the chapters: prologue, preface, epilogue; not counted."""
    quality: dict[str, Any]


def clean_document(
    document: Document, book: str, file: str, removals: Removals, join_wrapped_lines: bool = True
) -> CleanBook:
    """Find the chapters of a book.

    Args:
        document: the book as its reader gave it.
        book: its path in the shelf, without suffix.
        file: name of its file.
        removals: what its reader removed; what is removed here is added.
        join_wrapped_lines: whether the lines of paragraphs are joined where the document has them wrapped.
    """
    lines, frame = _read_lines(document, removals)
    headings, sections = find_chapters(lines, removals)
    joiner = Joiner(lines, removals) if join_wrapped_lines and document.is_wrapped else None
    title = document.title or frame.title or title_from_name(book)
    named = replace(document, title=title, author=document.author or frame.author)
    chapters: list[Chapter] = []
    matter: list[Chapter] = []
    for section, text in _texts(headings, sections, joiner, removals):
        place, kept = (len(chapters) + 1, chapters) if section.kind == CHAPTER else (0, matter)
        kept.append(Chapter(book, named.author, title, section.volume, place, section.heading, text, section.kind))
    return CleanBook(chapters, matter, account(named, book, file, chapters, matter, headings, removals))


def account(
    document: Document,
    book: str,
    file: str,
    chapters: Sequence[Chapter],
    matter: Sequence[Chapter],
    headings: str,
    removals: Removals,
) -> dict[str, Any]:
    """Return what is known of a book's quality.

    Args:
        document: the book, with the title and the author that its chapters have.
        book: its path in the shelf, without suffix.
        file: name of its file.
        chapters: its chapters.
        matter: what its author put before and behind them.
        headings: the style of their headings.
        removals: what was removed, and what was repaired.
    """
    return {
        "book": book,
        "file": file,
        "title": document.title,
        "author": document.author,
        "format": document.format,
        "language": document.language.split("-")[0].lower(),
        "encoding": document.encoding,
        "encoding_note": document.encoding_note,
        "characters": sum(len(chapter.text) for chapter in chapters),
        "chapters": len(chapters),
        "lengths": [len(chapter.text) for chapter in chapters],
        "headings": headings,
        "matter": [{"kind": part.kind, "heading": part.heading, "words": count_words(part.text)} for part in matter],
        "nearly_empty": [chapter.chapter for chapter in chapters if _is_nearly_empty(chapter.text)],
        "repaired": removals.repairs.records(),
        "removed": removals.records(),
        "problem": "" if chapters else "the file holds no prose" if document.text.strip() else "the file is empty",
    }


def _read_lines(document: Document, removals: Removals) -> tuple[Lines, Frame]:
    """Return the lines of a document that are its author's, headings with their sign, and what its frame says of it."""
    if document.encoding_note.startswith(BYTE_ORDER_MARK):
        removals.repairs.add("byte order mark", 1)
    text = repair_characters(document.text, removals)
    body, frame = strip_frame(remove_notes(text, removals), removals)
    return remove_page_marks(strip_end_mark(body, removals), removals), frame


def _texts(
    headings: str, sections: Sequence[Section], joiner: Joiner | None, removals: Removals
) -> Iterator[tuple[Section, str]]:
    """Yield the sections with their texts; a heading without text is noted as removed, a book without them is cut."""
    for section in sections:
        lines = strip_end_mark(section.lines, removals)
        text = joiner.join(lines) if joiner else "\n\n".join(kept_paragraphs(lines))
        if not text:
            removals.add("heading without text", section.heading)
        elif headings == NO_HEADINGS:
            yield from ((section, part) for part in cut_sections(text))
        else:
            yield section, text


def clean_rows(texts: Sequence[str], removals: Removals, join_wrapped_lines: bool = True) -> list[str]:
    """Return the texts of rows that make a book, repaired as a book's are.

    Running heads, page numbers and notes are told from all rows together. The lines of a row are joined where they are
    as long as wrapped lines are; a row may hold anything, and most tables have their paragraphs unwrapped.

    Args:
        texts: the rows' texts, in their order.
        removals: where is noted what is removed.
        join_wrapped_lines: whether the lines of hard-wrapped paragraphs are joined.
    """
    marked = "\n\n".join(f"{_ROW}\n\n{_without_frame(without_marks(text), removals)}" for text in texts)
    text = remove_notes(repair_characters(marked, removals), removals)
    lines = remove_page_marks(text.split("\n"), removals)
    starts = [index for index, line in enumerate(lines) if line == _ROW]
    rows = [strip_end_mark(lines[start + 1 : stop], removals) for start, stop in pairwise([*starts, len(lines)])]
    wrapped = [join_wrapped_lines and _is_wrapped(row) for row in rows]
    joiner = Joiner([line for row, joins in zip(rows, wrapped, strict=True) if joins for line in ["", *row]], removals)
    return [
        joiner.join(row) if joins else "\n\n".join(kept_paragraphs(row))
        for row, joins in zip(rows, wrapped, strict=True)
    ]


def _without_frame(text: str, removals: Removals) -> str:
    """Return the text of a row without the frame of Project Gutenberg, where it has one."""
    if "utenberg" not in text and "UTENBERG" not in text:
        return text
    return "\n".join(strip_frame("\n".join(text.splitlines()), removals)[0])


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Return whether the lines that others follow in a paragraph are many, and most about as long as the longest."""
    lengths = [len(line.strip()) for block in split_blocks(lines) for line in block[:-1]]
    if len(lengths) < _FEWEST_WRAPPED or max(lengths) > _WIDEST_WRAPPED:
        return False
    return sum(length >= _FULL_LINE * max(lengths) for length in lengths) >= _FULL_SHARE * len(lengths)


def _is_nearly_empty(text: str) -> bool:
    return ink(text[: 2 * NEARLY_EMPTY]) < NEARLY_EMPTY and ink(text) < NEARLY_EMPTY


def title_from_name(book: str) -> str:
    """Return a title for a book that states none: its file's name with spaces, its first letter a capital."""
    name = split_name(book)
    words = re.sub(r"[\s_]+", " ", Path(name.stem if name.is_document else book).name).strip(" -")
    words = words if " " in words else words.replace("-", " ").strip()
    return words[:1].upper() + words[1:] or book
