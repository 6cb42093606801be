"""Chapters by the headings that a format marks as such, as HTML, EPUB and word processors do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from nextchapter.corpus.document import HEADING, read_heading
from nextchapter.corpus.layouts import NEAR_VOLUME, InkedLines, choose_counted_layout, divides_well
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import NUMERAL_STYLES, Mark, find_marks
from nextchapter.corpus.matter import is_apparatus, is_prose, kind_of_matter

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


def read_outline(lines: Sequence[str]) -> tuple[list[str], dict[int, int]]:
    """Return the lines of a book without the signs of headings, and the level of each that is one."""
    if HEADING not in "".join(lines):
        return Lines.of(lines), {}
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
    headings = [line if index in levels else "" for index, line in enumerate(text.lines)]
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
    """Return the headings of a level that name no preface, contents and the like, and have prose behind them."""
    lines = sorted(levels)
    marks: list[Mark] = []
    for line, following in pairwise([*lines, len(text.lines)]):
        heading = text.lines[line]
        if levels[line] == level and not kind_of_matter(heading, is_behind=False) and not is_apparatus(heading):
            stop = next((other for other in lines if other > line and levels[other] <= level), len(text.lines))
            if is_prose(text.lines[line + 1 : following]) or is_prose(text.lines[line + 1 : stop]):
                marks.append(Mark(line, f"headings of level {level}", len(marks) + 1, "", heading))
    return marks


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
    opening: list[Mark] = []
    for line in sorted(levels):
        heading = text.lines[line]
        following = next((mark for mark in chapters if mark.line > line), None)
        if levels[line] >= lowest or not following or is_apparatus(heading) or kind_of_matter(heading, is_behind=False):
            continue
        if text.between(line, following.line) <= NEAR_VOLUME:
            opening.append(Mark(line, f"headings of level {levels[line]}", len(opening) + 1, heading))
    return opening if len({_next_chapter(mark, chapters) for mark in opening}) > 1 else []


def _next_chapter(mark: Mark, chapters: Sequence[Mark]) -> int:
    return next(chapter.line for chapter in chapters if chapter.line > mark.line)
