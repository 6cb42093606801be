"""Titles: behind a chapter's number, in a table of contents, or alone between blank lines."""

import difflib
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import Mark, is_capitalised
from nextchapter.corpus.matter import names_matter
from nextchapter.corpus.numerals import fold
from nextchapter.corpus.sentences import ENDS

CONTENTS_STYLE = "titles of the contents"
CAPITALS_STYLE = "capitals that stand alone"
TITLES_STYLE = "titles that stand alone"

_CONTENTS = re.compile(
    r"\W*(?:(?:table of |the )?contents(?: of .*)?|list of chapters|chapters|table des mati[èe]res|table|inhalt|"
    r"inhaltsverzeichnis|[íi]ndice(?: d.*)?|sommario|inhoud|innehåll|innehold|indhold|sisältö|spis treści|obsah|"
    r"содержание|оглавление|目录|目錄|目次)\W*",
    re.IGNORECASE,
)
_NO_CHAPTER = re.compile(
    r"(?:list of )?illustrations?|preface|foreword|introduction|introductory.*|dedication|contents|page|chapter|index|"
    r"footnotes|notes|to my readers|author s note|transcriber s notes?|vorwort|einleitung|preface de.*|prologo|prefacio"
)
_LEADING_NUMBER = re.compile(
    r"^(?:chapter\s+)?(?:\d{1,4}|[ivxlc]{1,8})(?:[.):]|\s*[-–—]|\s{2,})[\s.–—-]*", re.IGNORECASE
)
_TRAILING_PAGE = re.compile(r"[\s._·…]+(?:\d{1,4}|[ivxlc]{1,7})\s*$")
_ROMAN_LETTERS = "ivxlcIVXLC\u0130\u0131"
_WORD = re.compile(r"\w+")
_ENTRY = re.compile(r"\W*(?:\d|[IVXLC]+\b)|.*\d\s*$")
_LONGEST_TITLE = 120
_LONGEST_SENTENCE = 60
_MOST_ENTRIES = 400
_PROSE_LINES = 3
_SIMILAR = 0.8
_LETTER_CLASSES = 32
_FOUND_SHARE = 0.6
_MISSES = 10
_OPENING_QUOTES = "\"'“„«‘‚-–—(「『"
_SENTENCE_ENDS = f"{ENDS}」』"


def is_title(text: str) -> bool:
    """Return whether a short text can be a title: no speech, no part of a sentence, and no plain sentence."""
    text = text.strip(" _*=")
    if (
        not text
        or len(text) > _LONGEST_TITLE
        or text[0] in _OPENING_QUOTES
        or text[0].islower()
        or text[-1] in ",;:-–—，、；："
    ):
        return False
    if text[-1] not in _SENTENCE_ENDS or text.isupper():
        return True
    return len(text) <= _LONGEST_SENTENCE and is_capitalised(text) and not _has_caseless_letters(text)


def _has_caseless_letters(text: str) -> bool:
    """Return whether capitals can't tell a title from a sentence, as in Chinese, Arabic or Hindi."""
    return any(map(str.isalpha, text)) and text.lower() == text.upper()


def title_behind(lines: Sequence[str], start: int, stop: int) -> tuple[str, int] | None:
    """Return the title that is the next paragraph, of at most three lines, and the line after it.

    Args:
        lines: lines of the book.
        start: where to look.
        stop: where it would have to end; what fills the lines up to there is no title.
    """
    first = start
    while first < stop and not lines[first].strip():
        first += 1
    end = first
    while end < stop and lines[end].strip():
        end += 1
    title = " ".join(line.strip() for line in lines[first:end])
    near = first < end < stop and end - first <= 3 and first - start <= 4
    return (title, end) if near and is_title(title) else None


def find_contents(lines: Sequence[str], start: int, stop: int) -> int | None:
    """Return the line in a stretch that says that a table of contents follows."""
    return next(
        (index for index in range(start, stop) if len(lines[index]) < 80 and _CONTENTS.fullmatch(lines[index])), None
    )


def is_table(lines: Sequence[str]) -> bool:
    """Return whether most of a stretch of lines begin with a number or end with one, as the entries of a table do."""
    inked = [line for line in lines if line.strip()]
    return len(inked) >= 3 and sum(bool(_ENTRY.match(line)) for line in inked) >= 0.6 * len(inked)


def contents_marks(lines: Sequence[str]) -> list[Mark]:
    """Return the lines that the table of contents names, in its order, where most of its entries are found."""
    contents = find_contents(lines, 0, len(lines) // 3)
    if contents is None:
        return []
    entries, end = _read_entries(lines, contents + 1)
    alone = _LinesByKey((_key(lines[index]), index) for index in _lines_alone(lines) if index >= end)
    marks: list[Mark] = []
    for tried, entry in enumerate(entries):
        if len(marks) < _FOUND_SHARE * tried - _MISSES:
            return []
        line = alone.find(entry, marks[-1].line if marks else -1)
        if line is not None:
            title = _LEADING_NUMBER.sub("", lines[line].strip(), count=1)
            marks.append(Mark(line, CONTENTS_STYLE, len(marks) + 1, "", title))
    return marks if len(marks) >= max(3, _FOUND_SHARE * len(entries)) else []


def isolated_marks(lines: Sequence[str]) -> Iterator[list[Mark]]:
    """Yield the titles in capitals, then all titles, that stand alone with two blank lines or more before them."""
    titles = [
        index
        for index in _lines_alone(lines)
        if not any(map(str.strip, lines[max(0, index - 2) : index]))
        and is_title(lines[index]) and (lines[index].isupper() or lines[index].strip()[-1] not in _SENTENCE_ENDS)
    ]  # fmt: skip
    for style, chosen in (
        (CAPITALS_STYLE, [index for index in titles if lines[index].isupper()]),
        (TITLES_STYLE, titles),
    ):
        yield [Mark(index, style, number, "", lines[index].strip()) for number, index in enumerate(chosen, start=1)]


def _read_entries(lines: Sequence[str], start: int) -> tuple[list[str], int]:
    """Return the entries of a table of contents and the line after it: where prose begins or the entries come again."""
    entries: list[str] = []
    end = start
    for index in range(start, len(lines)):
        key = _key(lines[index])
        comes_again = key in entries or bool(entries and difflib.get_close_matches(key, entries[:1], 1, _SIMILAR))
        if comes_again or len(entries) > _MOST_ENTRIES or _prose_begins(lines, index):
            break
        if key and (_LEADING_NUMBER.match(lines[index].strip()) or not _is_matter(lines[index], key)):
            entries.append(key)
            end = index + 1
    return entries, end


def _is_matter(line: str, key: str) -> bool:
    """Return whether an entry without a number is that of a preface, notes and the like."""
    return _NO_CHAPTER.fullmatch(key) is not None or names_matter(_TRAILING_PAGE.sub("", line.strip()))


def _prose_begins(lines: Sequence[str], index: int) -> bool:
    paragraph = [line.strip() for line in lines[index : index + _PROSE_LINES]]
    return len(paragraph) == _PROSE_LINES and all(len(line) > 50 and not _ENTRY.match(line) for line in paragraph)


class _LinesByKey:
    """The lines that stand alone, by what their titles say."""

    def __init__(self, keyed: Iterable[tuple[str, int]]) -> None:
        """Sort pairs of a key and its line, lines in their order."""
        self._lines: dict[str, list[int]] = {}
        for key, line in keyed:
            self._lines.setdefault(key, []).append(line)

    def find(self, entry: str, after: int) -> int | None:
        """Return the first line behind another that says what an entry says, or nearly so.

        Args:
            entry: the key of the entry.
            after: the other line.
        """
        lines = self._lines.get(entry, [])
        if not lines or lines[-1] <= after:
            later = [key for key in self._may_be_alike(entry) if self._lines[key][-1] > after]
            similar = difflib.get_close_matches(entry, later, n=1, cutoff=_SIMILAR)
            lines = self._lines[similar[0]] if similar else []
        return lines[bisect_right(lines, after)] if lines else None

    def _may_be_alike(self, entry: str) -> Iterator[str]:
        """Yield the keys of about an entry's length that share enough letters with it; comparing them all is slow."""
        lengths = self._letters.sum(axis=1)
        shared = np.minimum(self._letters, _count_letters([entry])).sum(axis=1)
        is_near = np.abs(lengths - len(entry)) <= int((1 - _SIMILAR) * len(entry) + 2)
        return compress(self._lines, is_near & (2 * shared / (lengths + len(entry)) >= _SIMILAR))

    @cached_property
    def _letters(self) -> NDArray[np.int16]:
        return _count_letters(list(self._lines))


def _count_letters(keys: Sequence[str]) -> NDArray[np.int16]:
    """Return how often each of 32 classes of letters, those of an alphabet apart, stands in each key [key letter]."""
    classes = np.frombuffer("".join(keys).encode("utf-32-le", "surrogatepass"), "<u4") % _LETTER_CLASSES
    rows = np.repeat(np.arange(len(keys)), list(map(len, keys)))
    counts = np.bincount(rows * _LETTER_CLASSES + classes, minlength=len(keys) * _LETTER_CLASSES)
    return counts.reshape(-1, _LETTER_CLASSES).astype(np.int16)


def _lines_alone(lines: Sequence[str]) -> list[int]:
    """Return the short lines with letters that stand between blank ones."""
    table = Lines.of(lines)
    may_stand = table.is_alone & (table.widths <= _LONGEST_TITLE)
    return [index for index in np.flatnonzero(may_stand).tolist() if any(map(str.isalpha, lines[index]))]


def _key(line: str) -> str:
    """Return what is compared of a title: its words, without number, page, accents and case."""
    bare = line.strip()
    number = _LEADING_NUMBER.match(bare) if bare[:1].isdecimal() or bare[:1] in _ROMAN_LETTERS else None
    bare = bare[number.end() :] if number else bare
    if bare[-1:].isdecimal() or bare[-1:] in _ROMAN_LETTERS:
        bare = _TRAILING_PAGE.sub("", bare)
    return " ".join(_WORD.findall(fold(bare)))
