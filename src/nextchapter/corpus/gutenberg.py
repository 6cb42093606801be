"""What frames a book: licences, titles and authors of Project Gutenberg's files in all their ages, and end marks."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from nextchapter.corpus.document import HEADING
from nextchapter.corpus.lines import lines_holding
from nextchapter.corpus.removals import Removals

_START = re.compile(r"\*\*\*\s*START OF (?:THE |THIS )?PROJECT GUTENBERG", re.IGNORECASE)
_SMALL_PRINT_END = re.compile(r"\*\s*END\s*\*?\s*(?:OF )?THE SMALL PRINT", re.IGNORECASE)
_END = re.compile(r"\*\*\*\s*END OF (?:THE |THIS )?PROJECT GUTENBERG", re.IGNORECASE)
_MARKER = re.compile(r"\*\*\*\s*(?:START|END) OF (?:THE |THIS )?PROJECT GUTENBERG[^*]{0,300}\*\*\*", re.IGNORECASE)
_OLD_END = re.compile(
    rf"(?:{HEADING}\d)?\W*(?:end|ende|fin|fine|einde|fim|slut|slutet|koniec|loppu)\b.{{0,30}}\bpro\w{{2,6}} gutenberg",
    re.IGNORECASE,
)
_SIGN = re.compile(rf"^{HEADING}\d", re.MULTILINE)
_FIELD = re.compile(r"(Title|Author):\s*(.*\S)", re.IGNORECASE)
_NAMED_IN_HEADER = re.compile(
    r"(?:The )?Project Gutenberg(?:'s|’s)? ?(?:E-?(?:Book|Text) of )?(?P<title>.+?),? by (?P<author>.+)", re.IGNORECASE
)
_CREDIT = re.compile(
    r"(?:Produced|Transcribed|Prepared|Scanned|Digitized) by\b|E-?text (?:prepared|produced|scanned)|"
    r"\W?This (?:e-?(?:text|book)|file) was (?:produced|prepared|transcribed|scanned|made)|"
    r"Note: +(?:Images of|The original|Project Gutenberg|This e-?(?:text|book))|"
    r"HTML (?:version|file)s? (?:prepared|produced) by|"
    r"\(?(?:https?://)?(?:www\.)?(?:pgdp|gutenberg|archive)\.(?:net|org)\b",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"\[(?P<title>[^\[\]]+?)(?:,? by (?P<author>[^\[\]]+?))?(?:,? (?P<year>\d{4}))?\]")
_END_WORD = (
    "(?:THE )?END|The [Ee]nd|FIN|Fin|FINIS|Finis|ENDE|Ende|FINE|Fine|EINDE|Einde|FIM|Fim|SLUT|Slut|KONIEC|Koniec|"
    "КОНЕЦ|Конец|LOPPU|Loppu|終|完"
)
_OF = "of|de|des|der|del|della|du|do|da|van"
_END_MARK = re.compile(rf"[^\w\"'“„«‘]*(?:(?:{_END_WORD})(?: (?i:{_OF})\b.*| \w+ (?:части|тома|книги))?\W*|FINIS\b.*)")
_LONGEST_END_MARK = 60
_LONGEST_BRACKET = 200
_NEAR_LINES = 15


@dataclass
class Frame:
    """What the frame of a book says of it."""

    title: str = ""
    author: str = ""


def strip_frame(text: str, removals: Removals) -> tuple[list[str], Frame]:
    """Return a book's lines without licence, title in brackets and credits, and what these say of it.

    The footer is looked for first: some files of 2002 carry the small print of their header at the end.
    """
    lines = text.split("\n")
    starred = lines_holding(text, "*")
    if _set_markers_apart(lines, starred):
        text = "\n".join(lines)
        lines = text.split("\n")
        starred = lines_holding(text, "*")
    end = _footer_start(text, lines)
    start = _header_end(lines[:end], starred)
    frame = _read_header(lines[:start])
    removals.add("Project Gutenberg header", _printed(lines[:start]), int(start > 0))
    removals.add("Project Gutenberg footer", _printed(lines[end:]), int(end < len(lines)))
    body = _strip_credit(trim(lines[start:end]), removals) if start else trim(lines[:end])
    if body and len(body[0]) <= _LONGEST_BRACKET and (named := _BRACKETED.fullmatch(body[0].strip())):
        frame = Frame(frame.title or named["title"].strip(), frame.author or (named["author"] or "").strip())
        removals.add("title line in brackets", body[0])
        body = trim(body[1:])
    return body, frame


def _set_markers_apart(lines: list[str], starred: Sequence[int]) -> bool:
    """Put line feeds around the markers that share a line with more; return whether there are any.

    Some conversions run a whole book together.

    Args:
        lines: the lines of the book, which are changed.
        starred: those that hold a star.
    """
    crowded = [index for index in starred if "***" in lines[index] and _has_more_than_marker(lines[index])]
    for index in crowded:
        lines[index] = _MARKER.sub(lambda marker: f"\n{marker[0]}\n", lines[index])
    return bool(crowded)


def _has_more_than_marker(line: str) -> bool:
    marker = _MARKER.search(line)
    return marker is not None and marker[0] != line.strip()


def _printed(lines: list[str]) -> str:
    """Return lines as one text without the signs of headings."""
    return _SIGN.sub("", "\n".join(lines))


def strip_end_mark(lines: list[str], removals: Removals) -> list[str]:
    """Return lines without a last one that only says that the book, or a volume of it, ends."""
    body = trim(lines)
    while body and is_end_mark(body[-1]):
        removals.add("end mark", body[-1])
        body = trim(body[:-1])
    return body


def is_end_mark(line: str) -> bool:
    """Return whether a line only says that the book, or a volume of it, ends."""
    bare = line.strip()
    return len(bare) <= _LONGEST_END_MARK and _END_MARK.fullmatch(bare) is not None


def trim(lines: list[str]) -> list[str]:
    """Return lines without the blank ones at both ends."""
    first, last = 0, len(lines)
    while first < last and not lines[first].strip():
        first += 1
    while last > first and not lines[last - 1].strip():
        last -= 1
    return lines[first:last]


def _footer_start(text: str, lines: list[str]) -> int:
    """Return the line where the licence at the end begins: that of the last end marker, or of an older one above it."""
    ends = [
        index
        for index in lines_holding(text, "utenberg", "UTENBERG")
        if _END.search(lines[index]) or _OLD_END.match(lines[index])
    ]
    if not ends:
        return len(lines)
    start = ends[-1]
    for index in reversed(ends[:-1]):
        if index >= start - _NEAR_LINES:
            start = index
    return start


def _header_end(lines: list[str], starred: Sequence[int]) -> int:
    """Return the line after the header: behind the last small print, or behind the start marker and its second line."""
    found = starred[: bisect_left(starred, len(lines))]
    for index in reversed(found):
        if _SMALL_PRINT_END.search(lines[index]):
            return index + 1
    for index in found:
        if _START.search(lines[index]):
            wrapped = "***" not in _START.sub("", lines[index]) and "***" in "".join(lines[index + 1 : index + 2])
            return index + 2 if wrapped else index + 1
    return 0


def _read_header(lines: list[str]) -> Frame:
    frame = Frame()
    for index, line in enumerate(lines):
        field = _FIELD.match(line.strip())
        if field and not getattr(frame, field[1].lower()):
            following = lines[index + 1] if index + 1 < len(lines) else ""
            continued = f" {following.strip()}" if following.startswith("  ") else ""
            setattr(frame, field[1].lower(), _without_full_stop(field[2] + continued))
    first = next((line for line in lines if line.strip()), "")
    named = _NAMED_IN_HEADER.search(first)
    if named:
        frame.title = frame.title or named["title"].strip(" *")
        frame.author = frame.author or _without_full_stop(named["author"].strip(" *"))
    return frame


def _without_full_stop(name: str) -> str:
    return re.sub(r"(?<=\w\w\w)\.$", "", name.strip())


def _strip_credit(lines: list[str], removals: Removals) -> list[str]:
    """Return lines without the paragraphs right behind the header that name who made the file."""
    while lines and _CREDIT.match(lines[0].strip()):
        end = next((index for index, line in enumerate(lines) if not line.strip()), len(lines))
        removals.add("credit of the file's makers", "\n".join(lines[:end]))
        lines = trim(lines[end:])
    return lines
