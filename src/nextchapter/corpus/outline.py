"""Chapters by the headings that a format marks as such, as HTML, EPUB and word processors do."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from nextchapter.corpus.document import HEADING, read_heading
from nextchapter.corpus.layouts import NEAR_VOLUME, InkedLines, choose_counted_layout, divides_well
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import NUMERAL_STYLES, Mark, find_marks
from nextchapter.corpus.matter import is_interlude, is_prose, kind_of_matter, may_be_chapter, names_matter

_NUMBER_FIRST = re.compile(r"^(\d{1,3})\s(?=[^\W\d_])")
_LARGEST_LOOSE_SHARE = 0.1
_SMALLEST_CHAPTER = 2000
_SMALLEST_PART = 40_000
_FEWEST_STORIES = 3


@dataclass(frozen=True)
class Division:
    """Where the chapters of a book begin, and the volumes that hold them."""

    style: str
    chapters: list[Mark]
    volumes: list[Mark]
    levels: dict[int, int] = field(default_factory=dict)
    """The level of each line that the format marks as a heading; empty where headings were told from text."""

    def holds(self, line: int) -> bool:
        """Return whether a line stands between two chapters' headings, neither before the first nor behind the last."""
        return self.chapters[0].line < line < self.chapters[-1].line


def read_outline(lines: Sequence[str]) -> tuple[list[str], dict[int, int]]:
    """Return the lines of a book without the signs of headings, and the level of each that is one."""
    table = Lines.of(lines)
    if not table.begin_with(HEADING).any():
        return table, {}
    plain, levels = list(lines), {}
    for index in [index for index, line in enumerate(lines) if line.startswith(HEADING)]:
        if heading := read_heading(lines[index]):
            plain[index] = heading[1].strip()
            if plain[index]:
                levels[index] = heading[0]
    return plain, levels


def divide_by_headings(text: InkedLines, levels: dict[int, int]) -> Division | None:
    """Return the division by the numbers that headings bear, else by the level that divides the book best, else None.

    Args:
        text: the lines of the book, without signs.
        levels: the level of each line that is a heading.
    """
    headings = [_spaced(line) if index in levels else "" for index, line in enumerate(text.lines)]
    marks = find_marks(headings)
    layout = choose_counted_layout(text, marks)
    chapters = layout.marks if layout else _best_level(text, levels)
    if not chapters:
        return None
    above = _headings_above(text, levels, chapters)
    counted = [mark for mark in marks if mark.is_volume and mark.style != chapters[0].style]
    if not counted and _are_stories(text, above, chapters):
        return Division(above[0].style, [replace(mark, label="", title=mark.label) for mark in above], [], levels)
    volumes = {mark.line: mark for mark in [*above, *counted]}
    for chapter in chapters:
        volumes.pop(chapter.line, None)
    return Division(chapters[0].style, chapters, [volumes[line] for line in sorted(volumes)], levels)


def _spaced(heading: str) -> str:
    """Return a heading with the number at its start set off, as in print: it needs no dot where the format marks it."""
    return _NUMBER_FIRST.sub(r"\1  ", heading)


def _are_stories(text: InkedLines, above: Sequence[Mark], chapters: Sequence[Mark]) -> bool:
    """Return whether bare numbers count the parts of short stories, rather than the chapters of volumes."""
    starts = sum(chapter.number == 1 for chapter in chapters)
    return (
        chapters[0].style in NUMERAL_STYLES
        and min(starts, len(above)) >= _FEWEST_STORIES
        and median(text.sizes(above)) < _SMALLEST_PART
    )


def _best_level(text: InkedLines, levels: Mapping[int, int]) -> list[Mark]:
    """Return the headings of the highest level that divides the book well, or of the next where those are parts."""
    best: list[Mark] = []
    for level in sorted(set(levels.values())):
        marks = _headings_of(text, levels, level)
        if len(marks) > 1 and divides_well(text, marks) and (not best or _are_parts(text, best, marks)):
            best = marks
    return best


def _headings_of(text: InkedLines, levels: Mapping[int, int], level: int) -> list[Mark]:
    """Return the headings of a level that are chapters' and have prose behind them.

    What is called a preface, notes, and so on is none, but between two chapters, once in the book, an introduction or
    notes can be nothing else than a chapter: those of the book stand at its ends, those of a part at its ends.
    """
    ranks = [line for line in sorted(levels) if levels[line] <= level]
    proper = [line for line in ranks if levels[line] == level and not names_matter(text.lines[line])]
    names = Counter(text.lines[line].casefold() for line in ranks)
    lines: list[int] = []
    for above, line, below in zip([-1, *ranks], ranks, [*ranks[1:], -1], strict=False):
        heading = text.lines[line]
        is_between = {levels.get(above), levels.get(below)} == {level} and proper and proper[0] < line < proper[-1]
        is_own = names[heading.casefold()] == 1 and may_be_chapter(heading)
        if line in proper or (levels[line] == level and is_between and is_own):
            lines.append(line)
    stops = dict(pairwise([*sorted(levels), len(text.lines)]))
    ends = dict(pairwise([*ranks, len(text.lines)]))
    prose = [
        line
        for line in lines
        if is_prose(text.lines[line + 1 : stops[line]]) or is_prose(text.lines[line + 1 : ends[line]])
    ]
    style = f"headings of level {level}"
    return [Mark(line, style, number, "", text.lines[line]) for number, line in enumerate(prose, start=1)]


def _are_parts(text: InkedLines, upper: Sequence[Mark], lower: Sequence[Mark]) -> bool:
    """Return whether headings are those of parts, the next level those of chapters: nearly all text is below these."""
    if len(lower) <= len(upper) or median(text.sizes(upper)) < _SMALLEST_PART:
        return False
    loose = sum(
        text.behind(part, next((mark for mark in lower if mark.line > part.line), None))
        for part in upper
    )  # fmt: skip
    return loose <= _LARGEST_LOOSE_SHARE * text.total and median(text.sizes(lower)) >= _SMALLEST_CHAPTER


def _headings_above(text: InkedLines, levels: Mapping[int, int], chapters: Sequence[Mark]) -> list[Mark]:
    """Return the headings of higher levels that open chapters; a single one is the title of the book."""
    lowest = min(levels[chapter.line] for chapter in chapters)
    starts = [chapter.line for chapter in chapters]
    above_first = max([line for line in levels if line < starts[0] and levels[line] < lowest], default=0)
    additions = [
        line
        for line in levels
        if kind_of_matter(text.lines[line])
        and (line > starts[0] or (line > above_first and is_interlude(text.lines[line])))
    ]
    opening: list[Mark] = []
    for line in sorted(levels):
        following = min((start for start in [*starts, *additions] if start > line), default=None)
        if levels[line] >= lowest or line > starts[-1] or following is None or names_matter(text.lines[line]):
            continue
        if text.between(line, following) <= NEAR_VOLUME:
            opening.append(Mark(line, f"headings of level {levels[line]}", len(opening) + 1, text.lines[line]))
    return opening if len({_next_chapter(mark, chapters) for mark in opening}) > 1 else []


def _next_chapter(mark: Mark, chapters: Sequence[Mark]) -> int:
    return next(chapter.line for chapter in chapters if chapter.line > mark.line)
