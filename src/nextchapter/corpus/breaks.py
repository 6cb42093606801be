"""Where something begins in a book that is no chapter: prefaces, interludes, epilogues, indexes, licences."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np

from nextchapter.corpus.gutenberg import is_end_mark
from nextchapter.corpus.layouts import NEAR_VOLUME, InkedLines
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import CLOSING, Mark, find_marks
from nextchapter.corpus.matter import (
    end_of_prose,
    gaps,
    is_apparatus,
    is_interlude,
    is_prose,
    kind_of_matter,
    start_of_prose,
)
from nextchapter.corpus.outline import Division
from nextchapter.corpus.titles import find_contents, is_title

_SHORTEST_UNNAMED = 800
"""Ink of prose before the first chapter from which it is a preface, whatever its author calls it."""
_SHORTEST_UNTITLED = 500
"""Ink of running prose before the first chapter from which it is a preface without a title."""
_LONGEST_NAME = 70
_LARGEST_ADDITION = 0.25
_MOST_BLANK_LINES = 2
_FEWEST_ENTRIES = 3


@dataclass(frozen=True)
class Break:
    """A line where something begins that is no chapter."""

    line: int
    kind: str
    """What an author's addition it is; empty for contents, notes, licences and the like, which are removed."""
    is_titled: bool = True
    """Whether the line is its heading; else it is its first line."""

    @property
    def body(self) -> int:
        """The line where its text begins."""
        return self.line + self.is_titled


class Names:
    """The short lines of a book between blank ones that can be a title."""

    def __init__(self, lines: Sequence[str]) -> None:
        table = Lines.of(lines)
        short = np.flatnonzero(table.is_alone & (table.widths <= _LONGEST_NAME)).tolist()
        self._places = [index for index in short if _can_be_name(table.stripped[index])]

    def between(self, start: int, stop: int) -> list[int]:
        """Return those from one line to before another."""
        return self._places[bisect_left(self._places, start) : bisect_left(self._places, stop)]


def find_breaks(text: InkedLines, division: Division, end: int) -> list[Break]:
    """Return the breaks of a book up to line `end`.

    Those before and behind the chapters that head no prose have no kind, and what they head is removed.
    """
    lines, chapters = text.lines, division.chapters
    found = [*(_marked_breaks(text, division) if division.levels else _printed_breaks(text, division, end))]
    found += _untitled_breaks(text, found, _front_end(text, division))
    breaks = sorted(found, key=lambda item: item.line)
    starts = sorted([*(item.line for item in breaks), *(chapter.line for chapter in chapters), end])
    stops = [starts[bisect_right(starts, item.line)] if item.line < end else end for item in breaks]
    return [
        item if division.holds(item.line) or end_of_prose(lines[item.body : stop]) else Break(item.line, "")
        for item, stop in zip(breaks, stops, strict=True)
    ]


def _front_end(text: InkedLines, division: Division) -> int:
    """Return the line where the first chapter begins, or the volume that it opens."""
    first = division.chapters[0].line
    above = [mark.line for mark in division.volumes if mark.line <= first]
    return above[-1] if above and text.between(above[-1], first) <= NEAR_VOLUME else first


def _marked_breaks(text: InkedLines, division: Division) -> Iterator[Break]:
    """Yield the breaks of a book with marked headings: by their names, and whatever follows the chapters."""
    lines, levels = text.lines, division.levels
    first, last = division.chapters[0].line, division.chapters[-1].line
    taken = {mark.line for mark in [*division.chapters, *division.volumes]}
    titles = {_next_ink(lines, chapter.line + 1) for chapter in division.chapters if not chapter.title}
    lowest = max(levels[chapter.line] for chapter in division.chapters)
    headings = sorted(levels)
    for place, line in enumerate(headings):
        if line in taken or (line > first and (levels[line] > lowest or line in titles)):
            continue
        kind = kind_of_matter(lines[line], is_behind=line > first)
        if kind or is_apparatus(lines[line]):
            yield Break(line, kind or "")
        elif line > last:
            yield Break(line, "afterword")
        elif place and line < first and _is_long_prose(text, line, headings[place + 1]):
            yield Break(line, "preface")


def _printed_breaks(text: InkedLines, division: Division, end: int) -> Iterator[Break]:
    """Yield the breaks of a book without marked headings: before the first chapter, between chapters, in the last."""
    names = Names(text.lines)
    yield from _breaks_before(text, names, division.chapters[0].line)
    yield from _breaks_at_volumes(text, division, end)
    yield from _breaks_between(text, names, division)
    yield from _breaks_behind(text, names, division.chapters, end)


def _breaks_before(text: InkedLines, names: Names, first: int) -> Iterator[Break]:
    """Yield the breaks before the first chapter."""
    lines = text.lines
    for line in names.between(0, first):
        kind = kind_of_matter(lines[line])
        if kind or is_apparatus(lines[line]):
            yield Break(line, kind or "")
            continue
        is_far = line > 1 and not lines[line - 2].strip()
        if is_far and _is_long_prose(text, line, line + 1 + next(gaps(lines[line + 1 : first]))):
            yield Break(line, "preface")


def _breaks_at_volumes(text: InkedLines, division: Division, end: int) -> Iterator[Break]:
    """Yield the breaks that stand on the line of a volume, as in `ACT II. PROLOGUE`."""
    starts = sorted([mark.line for mark in [*division.chapters, *division.volumes]])
    for volume in division.volumes:
        name = volume.title.strip(CLOSING)
        stop = next((line for line in starts if line > volume.line), end)
        if is_interlude(name) and is_prose(text.lines[volume.line + 1 : stop]):
            yield Break(volume.line, kind_of_matter(name) or "")


def _breaks_between(text: InkedLines, names: Names, division: Division) -> Iterator[Break]:
    """Yield the breaks between two chapters: interludes set apart as chapters are, all else only next to a volume.

    An essay has an introduction and a conclusion of its own; a prologue opens a book, or a part of one.
    """
    lines, chapters = text.lines, division.chapters
    gap = min(_MOST_BLANK_LINES, median(_blank_above(lines, chapter.line) for chapter in chapters))
    for chapter, following in pairwise(chapters):
        start = chapter.line + 1 if chapter.title else _next_ink(lines, chapter.line + 1) + 1
        volumes = [mark.line for mark in division.volumes if chapter.line < mark.line <= following.line]
        named = [line for line in names.between(start, following.line) if kind_of_matter(lines[line])]
        for line, after in pairwise([*named, following.line]):
            opens_volume = any(text.between(volume, line) <= NEAR_VOLUME for volume in volumes if volume < line)
            is_apart = is_interlude(lines[line]) and _blank_above(lines, line) >= gap
            stop = min([volume for volume in volumes if volume > line] + [after])
            if (opens_volume or is_apart) and is_prose(lines[line + 1 : stop]):
                yield Break(line, kind_of_matter(lines[line]) or "")


def _breaks_behind(text: InkedLines, names: Names, chapters: Sequence[Mark], end: int) -> Iterator[Break]:
    """Yield the breaks in what follows the last chapter's heading.

    A name that stands in an earlier chapter too is that of a section in each, such as its notes or its conclusion.
    """
    lines, last = text.lines, chapters[-1]
    behind = last.line + 1
    title = -1 if last.title else _next_ink(lines, behind)
    earlier = {lines[line] for line in names.between(chapters[0].line, last.line)}
    for line in names.between(behind, end):
        kind = kind_of_matter(lines[line], is_behind=True)
        is_far = line > 1 and not lines[line - 2].strip()
        if line == title or (lines[line] in earlier and not is_interlude(lines[line])):
            continue
        if kind or (is_far and is_apparatus(lines[line])):
            yield Break(line, kind or "")
        elif is_end_mark(lines[line]) and text.between(line, end) <= _LARGEST_ADDITION * text.between(behind, line):
            yield Break(line + 1, "")


def _untitled_breaks(text: InkedLines, named: Sequence[Break], end: int) -> Iterator[Break]:
    """Yield the breaks where running prose without a title begins before the first chapter, which ends at `end`.

    It is looked for before all that has a name, behind a table of contents, and behind a gap below other apparatus.
    """
    lines = text.lines
    front = sorted([item for item in named if item.line < end], key=lambda item: item.line)
    for above, below in pairwise([Break(-1, ""), *front, Break(end, "")]):
        if above.kind:
            continue
        start = above.body
        if above.line >= 0 and find_contents(lines, above.line, above.line + 1) is None:
            start += next(gaps(lines[start : below.line]))
        for stretch_start, stretch_end in _stretches(lines, start, below.line):
            if text.between(stretch_start, stretch_end) < _SHORTEST_UNTITLED:
                continue
            table = _end_of_entries(lines[stretch_start:stretch_end])
            prose = start_of_prose(lines[stretch_start + table : stretch_end], _SHORTEST_UNTITLED)
            if prose is not None:
                yield Break(stretch_start + table + prose, "preface", is_titled=False)
                break


def _stretches(lines: Sequence[str], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield where the stretches between gaps begin and end."""
    yield from pairwise([start, *(start + gap for gap in gaps(lines[start:stop]))])


def _end_of_entries(lines: Sequence[str]) -> int:
    """Return the line behind a table of contents, where a stretch holds one: its entries bear the marks of chapters."""
    entries = find_marks(lines)
    if len(entries) < _FEWEST_ENTRIES:
        return 0
    last = entries[-1].line
    return next((line for line in range(last, len(lines)) if not lines[line].strip()), len(lines))


def _is_long_prose(text: InkedLines, heading: int, stop: int) -> bool:
    return text.between(heading, stop) >= _SHORTEST_UNNAMED and is_prose(text.lines[heading + 1 : stop])


def _can_be_name(line: str) -> bool:
    return is_title(line) or line.isupper()


def _next_ink(lines: Sequence[str], start: int) -> int:
    """Return the first line from a place on that is not blank."""
    return next((line for line in range(start, len(lines)) if lines[line].strip()), len(lines))


def _blank_above(lines: Sequence[str], line: int) -> int:
    """Return how many blank lines stand directly above a line."""
    above = next((index for index in range(line - 1, -1, -1) if lines[index].strip()), -1)
    return line - 1 - above
