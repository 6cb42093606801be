"""A book from its bytes to its chapters, with an account of what was removed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nextchapter.corpus.books import Chapter
from nextchapter.corpus.chapters import NO_HEADINGS, Section, find_chapters
from nextchapter.corpus.characters import repair_characters
from nextchapter.corpus.decoding import decode
from nextchapter.corpus.gutenberg import strip_end_mark, strip_frame
from nextchapter.corpus.pages import remove_page_marks
from nextchapter.corpus.paragraphs import Joiner, kept_paragraphs
from nextchapter.corpus.removals import Removals, ink
from nextchapter.corpus.sections import cut_sections
from nextchapter.corpus.words import count_words

NEARLY_EMPTY = 200
"""Ink of a chapter below which the account names it."""


@dataclass(frozen=True)
class CleanBook:
    """The chapters of a book, and what is known of its quality."""

    chapters: list[Chapter]
    quality: dict[str, Any]


def clean_book(data: bytes, book: str, file: str, join_wrapped_lines: bool = True) -> CleanBook:
    """Read a plain text book.

    Args:
        data: the bytes of its file.
        book: its path in the shelf, without suffix.
        file: name of its file.
        join_wrapped_lines: whether the lines of hard-wrapped paragraphs are joined.

    Raises:
        UnreadableBookError: the file holds no text.
    """
    decoded = decode(data)
    is_blank = not decoded.text.strip()
    removals = Removals()
    body, frame = strip_frame(repair_characters(decoded.text, removals).split("\n"), removals)
    decoded = replace(decoded, text="")  # a long book shall be in memory once, as lines
    lines = remove_page_marks(strip_end_mark(body, removals), removals)
    headings, sections = find_chapters(lines, removals)
    joiner = Joiner(lines, removals) if join_wrapped_lines else None
    title = frame.title or title_from_name(book)
    chapters = [
        Chapter(book, frame.author, title, section.volume, number, section.heading, text)
        for number, (section, text) in enumerate(_texts(headings, sections, joiner, removals), start=1)
    ]
    quality = {
        "book": book,
        "file": file,
        "title": title,
        "author": frame.author,
        "encoding": decoded.encoding,
        "encoding_note": decoded.note,
        "bytes": len(data),
        "characters": sum(len(chapter.text) for chapter in chapters),
        "words": sum(count_words(chapter.text) for chapter in chapters),
        "chapters": len(chapters),
        "headings": headings,
        "nearly_empty": [chapter.chapter for chapter in chapters if _is_nearly_empty(chapter.text)],
        "removed": removals.records(),
        "problem": "" if chapters else "the file is empty" if is_blank else "the file holds no prose",
    }
    return CleanBook(chapters, quality)


def _texts(
    headings: str, sections: Sequence[Section], joiner: Joiner | None, removals: Removals
) -> Iterator[tuple[Section, str]]:
    """Yield the sections with their texts; a heading without text is noted as removed, a book without them is cut."""
    for section in sections:
        lines = strip_end_mark(section.lines, removals)
        text = "\n\n".join(joiner.paragraphs(lines) if joiner else kept_paragraphs(lines))
        if not text:
            removals.add("heading without text", section.heading)
        elif headings == NO_HEADINGS:
            yield from ((section, part) for part in cut_sections(text))
        else:
            yield section, text


def _is_nearly_empty(text: str) -> bool:
    return ink(text[: 10 * NEARLY_EMPTY]) < NEARLY_EMPTY and ink(text) < NEARLY_EMPTY


def title_from_name(book: str) -> str:
    """Return a title for a book that states none: its file's name with spaces, its first letter a capital."""
    words = re.sub(r"[\s_]+", " ", Path(book).name).strip(" -")
    words = words if " " in words else words.replace("-", " ").strip()
    return words[:1].upper() + words[1:] or book
