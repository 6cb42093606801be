"""What belongs to the printed page, not to the text: page numbers, running heads, notes on pictures."""

import re
from collections import Counter, defaultdict
from collections.abc import Set as AbstractSet
from itertools import pairwise

from nextchapter.corpus.document import HEADING
from nextchapter.corpus.lines import Lines, substitute
from nextchapter.corpus.marks import is_chapter_heading
from nextchapter.corpus.removals import Removals
from nextchapter.corpus.sentences import ENDS

_PICTURE = re.compile(
    r"\[(?:Illustrations?|Illustrated|Frontispiece|Abbildung|Ilustraci[óo]n|Ilustração|Illustrazione|Иллюстрация)\b"
    rf"(?:[^\[\]{HEADING}]|\[[^\[\]{HEADING}]{{0,200}}\]){{0,600}}\]",
    re.IGNORECASE,
)
_PAGE_IN_LINE = re.compile(
    r"\[(?:Pg|Page|p|Seite|S)\.? ?\d{1,4}\]|\{(?:Pg|Page|p|Seite|S)?\.? ?\d{1,4}\}", re.IGNORECASE
)
_PAGE_LINE = re.compile(r"(?P<form>\W*(?:Page|Pg|p|Seite)?\.?\s*)(?P<page>\d{1,4})\W*", re.IGNORECASE)
_PAGE_INITIALS = "PpSsſ"
_RUNNING_HEAD = re.compile(r"(?P<page>\d{1,4})\s{2,}(?P<head>\S.*)|(?P<head2>\S.*?)\s{2,}(?P<page2>\d{1,4})")
_SENTENCE_END = frozenset(f"{ENDS}:;\"'”’»)]*_—：；」』）］")
_FEWEST_PAGES = 10
_FEWEST_HEADS = 3
_MID_SENTENCE_SHARE = 0.15


def remove_page_marks(lines: list[str], removals: Removals) -> Lines:
    """Return a book's lines without page numbers, running heads and notes on pictures.

    Bare numbers are page numbers only where they rise through the book and some interrupt a sentence; else they may
    be chapters. A sentence that goes on behind a mark is closed up again.
    """
    lines = Lines.of(_without_notes(lines, removals))
    heads = _running_heads(lines)
    pages = _page_numbers(lines)
    for index in sorted(heads):
        removals.add("running head", lines[index])
    for index in sorted(pages - heads):
        removals.add("page number", lines[index])
    return Lines(_without(lines, heads | pages)) if heads or pages else lines


def _without_notes(lines: list[str], removals: Removals) -> list[str]:
    """Return a book's lines without notes in brackets that name a picture or a page."""
    text = "\n".join(lines)
    without_pictures = substitute(_PICTURE, "[", lambda found: _drop_picture(found[0], removals), text)
    without = substitute(_PAGE_IN_LINE, "[{", lambda found: _drop_page(found[0], removals), without_pictures)
    return lines if without == text else without.split("\n")


def _drop_picture(note: str, removals: Removals) -> str:
    """Note that a picture's caption is removed; return the chapter's heading with which some captions end."""
    before, _, last = note[:-1].rpartition("\n")
    if not is_chapter_heading(last):
        removals.add("illustration", note)
        return ""
    removals.add("illustration", f"{before}]")
    return f"\n{last}\n"


def _drop_page(number: str, removals: Removals) -> str:
    removals.add("page number", number)
    return ""


def _page_numbers(lines: Lines) -> set[int]:
    """Return the lines that hold nothing but the number of a page."""
    forms = defaultdict(list)
    for index in lines.with_digits:
        bare = lines.stripped[index]
        if bare[-1].isalpha() or (bare[0].isalpha() and bare[0] not in _PAGE_INITIALS) or len(lines[index]) >= 80:
            continue
        if found := _PAGE_LINE.fullmatch(bare):
            forms[found["form"].strip().lower()].append((index, int(found["page"])))
    numbers: set[int] = set()
    for found_lines in forms.values():
        rises = sum(0 < after - before <= _FEWEST_PAGES for (_, before), (_, after) in pairwise(found_lines))
        breaks = sum(_interrupts_sentence(lines, index) for index, _ in found_lines)
        enough = len(found_lines) >= _FEWEST_PAGES and rises >= 0.8 * (len(found_lines) - 1)
        if enough and breaks >= _MID_SENTENCE_SHARE * len(found_lines):
            numbers.update(index for index, _ in found_lines)
    return numbers


def _running_heads(lines: Lines) -> set[int]:
    """Return the lines with a page number beside a text that comes again, and those with that text alone."""
    numbered = {}
    for index in lines.with_digits:
        bare = lines.stripped[index]
        if not (bare[0].isdecimal() or bare[-1].isdecimal()) or len(lines[index]) >= 120:
            continue
        if found := _RUNNING_HEAD.fullmatch(bare):
            numbered[index] = found["head"] or found["head2"]
    counts = Counter(numbered.values())
    heads = {head for head, count in counts.items() if count >= _FEWEST_HEADS and any(map(str.isalpha, head))}
    if not heads:
        return set()
    alone = {index for index, line in enumerate(lines.stripped) if line in heads}
    return alone | {index for index, head in numbered.items() if head in heads}


def _interrupts_sentence(lines: list[str], index: int) -> bool:
    before, after = _neighbour(lines, index, -1), _neighbour(lines, index, 1)
    return before is not None and after is not None and _goes_on(lines[before], lines[after])


def _goes_on(before: str, after: str) -> bool:
    first = after.lstrip()[0]
    return before.rstrip()[-1] not in _SENTENCE_END and (
        first.islower() or (first.isalpha() and first.upper() == first.lower())
    )


def _neighbour(lines: list[str], index: int, step: int, marks: AbstractSet[int] = frozenset()) -> int | None:
    """Return the next line, up or down, that is neither blank nor one of the marks."""
    index += step
    while 0 <= index < len(lines):
        if lines[index].strip() and index not in marks:
            return index
        index += step
    return None


def _without(lines: list[str], marks: set[int]) -> list[str]:
    """Return the lines but the marks; blank lines around a mark inside a sentence go with it."""
    kept: list[str] = []
    at = 0
    for mark in sorted(marks):
        if mark < at:
            continue
        before, after = _neighbour(lines, mark, -1, marks), _neighbour(lines, mark, 1, marks)
        start = at if before is None else before + 1
        stop = len(lines) if after is None else after
        kept += lines[at:start]
        if before is None or after is None or not _goes_on(lines[before], lines[after]):
            kept += [lines[index] for index in range(start, stop) if index not in marks]
        at = stop
    return kept + lines[at:]
