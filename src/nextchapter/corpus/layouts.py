"""Which of a book's marks are its chapters.

Marks are grouped by style (`chapter` and a number, bare Roman numerals, ...). Of each style the best chain is kept: one
that counts 1, 2, 3, ..., may count from 1 again, and has text behind its marks. A table of contents counts as well, but
has no text. The first style, from the surest to the weakest, whose chain divides the book well is taken.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from statistics import median

import numpy as np

from nextchapter.corpus.dates import DATES_STYLE, dated_marks
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import CHAPTER_WORDS, NUMERAL_STYLES, VOLUME_WORDS, Mark
from nextchapter.corpus.matter import names_matter
from nextchapter.corpus.titles import CONTENTS_STYLE, contents_marks, isolated_marks

NEAR_VOLUME = 1500
"""A volume's mark opens the chapter that begins within this much ink behind it."""
_FULL_CHAPTER = 2000
_COST_OF_AN_ENTRY = 0.05
_HOLLOW_SHARE = 0.1
_COST_OF_A_GAP = 0.9
_COST_OF_A_NEW_COUNT = 1.5
_LARGEST_STEP = 3
_LARGEST_FRONT = 0.35
_LARGEST_CHAPTER = 250_000
_LARGEST_SHARE = (0.0, 0.0, 0.9, 0.8, 0.5)  # of the book, with so many chapters
_FEWEST_DOUBTFUL = 4
_FEWEST_STORIES = 3
_LARGEST_PIECE = 0.6
_SMALLEST_TITLED = 1000
_SUBTITLE = 200


class InkedLines:
    """The lines of a book, and how many characters that are not white space stand between two of them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = Lines.of(lines)
        self._before: list[int] = [0, *np.cumsum(self.lines.ink, dtype=np.int64).tolist()]

    @property
    def total(self) -> int:
        """The ink of the book."""
        return self._before[-1]

    def between(self, start: int, stop: int) -> int:
        """Return the ink from one line to before another."""
        return self._before[stop] - self._before[start]

    def behind(self, mark: Mark, following: Mark | None) -> int:
        """Return the ink between a mark and the next; without a next, to the end of the book."""
        stop = following.line if following else len(self.lines)
        return self.between(min(mark.line + 1, stop), stop)

    def sizes(self, marks: Sequence[Mark]) -> list[int]:
        """Return the ink behind each mark."""
        return [self.behind(*pair) for pair in zip(marks, [*marks[1:], None], strict=True)]


@dataclass(frozen=True)
class Layout:
    """The chapters of a book under one reading of its marks."""

    style: str
    marks: list[Mark]
    score: float = 0.0


def choose_layout(text: InkedLines, marks: Sequence[Mark]) -> Layout | None:
    """Return the surest layout that divides the book well, else the best counted one, else None."""
    doubtful: list[Layout] = []
    for layouts in _layouts_by_rank(text, marks):
        well = [layout for layout in layouts if divides_well(text, layout.marks)]
        if well:
            return _or_stories(text, max(well, key=lambda layout: layout.score), marks)
        doubtful += [layout for layout in layouts if _divides_somehow(text, layout)]
    return max(doubtful, key=lambda layout: layout.score, default=None)


def _or_stories(text: InkedLines, layout: Layout, marks: Sequence[Mark]) -> Layout:
    """Return the layout by the contents in place of one of bare numbers that count the parts of each story again."""
    starts = [mark.line for mark in layout.marks if mark.number == 1]
    if layout.style not in NUMERAL_STYLES or len(starts) < _FEWEST_STORIES or any(mark.is_volume for mark in marks):
        return layout
    stories = Layout(CONTENTS_STYLE, contents_marks(text.lines))
    return stories if len(stories.marks) >= len(starts) and divides_well(text, stories.marks) else layout


def _without_matter(titles: Sequence[Mark]) -> list[Mark]:
    """Return titles without those of prefaces, epilogues, notes and the like."""
    return [mark for mark in titles if not names_matter(mark.title)]


def choose_counted_layout(text: InkedLines, marks: Sequence[Mark]) -> Layout | None:
    """Return the surest layout by numbers, other than those of volumes, that divides the book well, else None."""
    for layouts in _counted_layouts(_find_chains(text, marks)):
        well = [layout for layout in layouts if divides_well(text, layout.marks)]
        if well:
            return max(well, key=lambda layout: layout.score)
    return None


def _layouts_by_rank(text: InkedLines, marks: Sequence[Mark]) -> Iterator[list[Layout]]:
    """Yield groups of layouts, from the surest kind of heading to the weakest."""
    chains = _find_chains(text, marks)
    yield from _counted_layouts(chains)
    yield [Layout(CONTENTS_STYLE, contents_marks(text.lines))]
    yield _layouts_of(chains, VOLUME_WORDS, fewest=2)
    for titles in isolated_marks(text.lines):
        yield _titled_layouts(text, titles)
    yield [Layout(DATES_STYLE, dated_marks(text.lines))]


def _find_chains(text: InkedLines, marks: Sequence[Mark]) -> dict[str, Layout]:
    """Return the best chain of each style."""
    volumes = [mark for mark in marks if mark.is_volume]
    groups: dict[str, list[Mark]] = {}
    for mark in marks:
        groups.setdefault(mark.style, []).append(mark)
    return {style: find_chain(text, group, [] if style in VOLUME_WORDS else volumes) for style, group in groups.items()}


def _counted_layouts(chains: Mapping[str, Layout]) -> Iterator[list[Layout]]:
    """Yield groups of layouts by the numbers of chapters: with their word, bare, with another word."""
    yield _layouts_of(chains, CHAPTER_WORDS, fewest=1)
    yield _layouts_of(chains, NUMERAL_STYLES, fewest=2)
    yield _layouts_of(chains, chains.keys() - CHAPTER_WORDS - NUMERAL_STYLES - VOLUME_WORDS, fewest=3)


def _layouts_of(chains: Mapping[str, Layout], styles: AbstractSet[str], fewest: int) -> list[Layout]:
    """Return the layouts of some styles in the order of the book, so that of equally good ones the first counts."""
    return [layout for style, layout in chains.items() if style in styles and len(layout.marks) >= fewest]


def _titled_layouts(text: InkedLines, titles: list[Mark]) -> list[Layout]:
    """Return the layout by titles without numbers, those of matter left out, if they stand as far apart as chapters do.

    Of titles that follow each other at once the first counts, but at the start of the book (its own title) the last.
    """
    while len(titles) > 1 and text.behind(titles[0], titles[1]) < _SUBTITLE:
        titles = titles[1:]
    titles = _without_matter(titles)
    marks = titles[:1] + [title for before, title in pairwise(titles) if text.behind(before, title) >= _SUBTITLE]
    enough = len(marks) >= 3 and median(text.sizes(marks)) >= _SMALLEST_TITLED
    return [Layout(marks[0].style, marks)] if enough else []


def divides_well(text: InkedLines, marks: Sequence[Mark]) -> bool:
    """Return whether marks leave little before the first, and no chapter that is far larger than the others."""
    if not marks:
        return False
    largest = max(text.sizes(marks))
    share = _LARGEST_SHARE[min(len(marks), len(_LARGEST_SHARE) - 1)]
    front = text.between(0, marks[0].line)
    return front <= _LARGEST_FRONT * text.total and largest <= min(share * text.total, _LARGEST_CHAPTER)


def _divides_somehow(text: InkedLines, layout: Layout) -> bool:
    """Return whether marks are many and leave no piece most of the book, or name chapters from near its start on."""
    if not layout.marks:
        return False
    front = text.between(0, layout.marks[0].line)
    if layout.style in CHAPTER_WORDS and front <= _LARGEST_FRONT * text.total:
        return True
    largest = max(front, *text.sizes(layout.marks))
    return len(layout.marks) >= _FEWEST_DOUBTFUL and largest <= _LARGEST_PIECE * text.total


def find_chain(text: InkedLines, marks: Sequence[Mark], volumes: Sequence[Mark]) -> Layout:
    """Return the marks of one style that count on with text behind them.

    Each mark is worth up to 1 by the text up to the next. Numbers left out cost something, and so does a new count from
    1, unless a volume opens there. Dynamic programming finds the chain of the greatest worth.

    Args:
        text: the lines of the book.
        marks: all marks of one style, in their order.
        volumes: the marks of volumes, in their order.
    """
    marks = _correct_misprints(marks)
    sizes = text.sizes(marks)
    usual = max(1.0, min(_FULL_CHAPTER, text.total / len(marks)))
    opening = [_volume_before(text, mark, volumes) for mark in marks]
    indices, score = _best_chain(marks, [_worth(size, usual) for size in sizes], opening)
    last = indices[-1]
    if last == len(marks) - 2 and marks[-1].number == marks[last].number + 1 and sizes[-1]:
        indices.append(last + 1)  # the last chapter may be of one line
    runs = _split_runs(indices, marks)
    real = [run for run in runs if median(sizes[index] for index in run) >= _HOLLOW_SHARE * usual]
    return Layout(marks[0].style, [marks[index] for run in real for index in run], score)


def _best_chain(
    marks: Sequence[Mark], worth: Sequence[float], opening: Sequence[Mark | None]
) -> tuple[list[int], float]:
    """Return the indices of the chain of the greatest worth, its costs subtracted, and that worth.

    A mark goes on from one that bears one of the numbers just below its own. A new count may follow any mark, but all
    that its cost asks of that mark is whether it stands above the volume: the best above each of the two is enough.

    Args:
        marks: all marks of one style, in their order.
        worth: what each is worth.
        opening: the volume that opens shortly above each.
    """
    lines = [mark.line for mark in marks]
    best: list[float] = []
    best_up_to: list[int] = []
    links: list[int | None] = []
    bearing: dict[int, list[int]] = {}
    for index, (mark, volume) in enumerate(zip(marks, opening, strict=True)):
        value, link = -_COST_OF_A_GAP * (mark.number > 1), None
        lower = [bearing.get(mark.number - step, []) for step in range(1, _LARGEST_STEP + 1)]
        reached = set(chain.from_iterable(lower))
        if mark.number == 1:
            above = [bisect_left(lines, line) for line in (mark.line, volume.line if volume else mark.line)]
            reached.update(best_up_to[count - 1] for count in above if count)
        for earlier in sorted(reached):
            cost = _cost_of_step(marks[earlier], mark, volume)
            if cost is not None and best[earlier] - cost > value:
                value, link = best[earlier] - cost, earlier
        best.append(value + worth[index])
        best_up_to.append(index if not index or best[index] > best[best_up_to[-1]] else best_up_to[-1])
        links.append(link)
        bearing.setdefault(mark.number, []).append(index)
    backwards: list[int] = []
    following: int | None = best.index(max(best))
    while following is not None:
        backwards.append(following)
        following = links[following]
    return backwards[::-1], max(best)


def _correct_misprints(marks: Sequence[Mark]) -> list[Mark]:
    """Return marks with the number put right of each that stands alone between n and n + 2."""
    corrected = list(marks)
    for index in range(1, len(marks) - 1):
        before, after = corrected[index - 1].number, marks[index + 1].number
        if after == before + 2 and marks[index].number != before + 1:
            corrected[index] = replace(marks[index], number=before + 1)
    return corrected


def _volume_before(text: InkedLines, mark: Mark, volumes: Sequence[Mark]) -> Mark | None:
    """Return the last volume's mark that stands on the line of a chapter's mark or shortly before it."""
    above = bisect_right(volumes, mark.line, key=lambda volume: volume.line)
    volume = volumes[above - 1] if above else None
    return volume if volume and text.between(volume.line, mark.line) <= NEAR_VOLUME else None


def _worth(size: int, usual: float) -> float:
    """Return 1 for the text of a whole chapter, and less than 0 for the gap between two entries of a table."""
    return min(1.0, size / usual) ** 2 - (_COST_OF_AN_ENTRY if size < _HOLLOW_SHARE * usual else 0.0)


def _split_runs(indices: Sequence[int], marks: Sequence[Mark]) -> list[list[int]]:
    """Return a chain of indices in its counts: each begins where the numbers do not rise."""
    runs: list[list[int]] = []
    for index in indices:
        if not runs or marks[index].number <= marks[runs[-1][-1]].number:
            runs.append([])
        runs[-1].append(index)
    return runs


def _cost_of_step(earlier: Mark, mark: Mark, volume: Mark | None) -> float | None:
    """Return what it costs to go from one mark on to another; None where that is no counting."""
    step = mark.number - earlier.number
    if mark.line > earlier.line and 1 <= step <= _LARGEST_STEP:
        return _COST_OF_A_GAP * (step - 1)
    if mark.line > earlier.line and mark.number == 1:
        return 0.0 if volume and volume.line > earlier.line else _COST_OF_A_NEW_COUNT
    return None
