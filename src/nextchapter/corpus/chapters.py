"""From the lines of a book to its chapters: headings, volumes, and the lines of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nextchapter.corpus.gutenberg import is_end_mark
from nextchapter.corpus.layouts import NEAR_VOLUME, InkedLines, Layout, choose_layout, find_chain
from nextchapter.corpus.marks import CHAPTER_WORDS, CLOSING, Mark, find_marks, is_capitalised
from nextchapter.corpus.matter import CHAPTER, end_of_prose, gaps, is_apparatus, is_prose, kind_of_matter
from nextchapter.corpus.outline import Division, divide_by_headings, read_outline
from nextchapter.corpus.removals import Removals, ink
from nextchapter.corpus.titles import find_contents, is_table, is_title, title_behind

NO_HEADINGS = "none, cut into sections of similar length"
_TITLED_SHARE = 0.6
_SHORTEST_LETTER = 1000
_LONGEST_TITLE_PAGE = 200
_LONG_LINE = 45
_WRAPPED_LINES = 2
_LONGEST_NAME = 70
_LARGEST_ADDITION = 0.25
_SHORTEST_UNNAMED = 800
"""Ink of prose before the first chapter from which it is a preface, whatever its author calls it."""


@dataclass(frozen=True)
class Section:
    """A chapter, or what an author put before or behind the chapters, as lines."""

    volume: str
    heading: str
    lines: list[str]
    kind: str = CHAPTER
    """A `chapter`, or a `preface`, `epilogue` and so on: `kind_of_matter` has them all."""


@dataclass(frozen=True)
class Break:
    """A line where something begins that is no chapter."""

    line: int
    kind: str
    """What an author's addition it is; empty for contents, notes, licences and the like, which are removed."""


def find_chapters(lines: list[str], removals: Removals) -> tuple[str, list[Section]]:
    """Return the style of a book's headings and its sections; without headings, one chapter of all lines.

    Headings that the format marks are used where they divide the book, else the lines that read like headings.
    Contents, title pages, notes and the like are noted as removed; prefaces and epilogues are sections of their kind.
    """
    plain, levels = read_outline(lines)
    text = InkedLines(plain)
    division = (divide_by_headings(text, levels) if levels else None) or _divide_by_marks(text)
    if division is None:
        return NO_HEADINGS, [Section("", "", plain)] if text.total else []
    end = _end_of_text(plain, division.chapters[-1], removals)
    breaks = [*(_marked_breaks(plain, division) if division.levels else _printed_breaks(text, division.chapters, end))]
    return division.style, list(_cut(text, division, breaks, end, removals))


def _divide_by_marks(text: InkedLines) -> Division | None:
    """Return the division by the lines that read like headings, or None where none divides the book."""
    marks = find_marks(text.lines)
    layout = choose_layout(text, marks)
    if layout is None:
        return None
    chapters = _leading_letters(text, marks, layout) + layout.marks
    taken = {chapter.line for chapter in chapters if chapter.style not in CHAPTER_WORDS}
    volumes = [mark for mark in marks if mark.is_volume and mark.style != layout.style and mark.line not in taken]
    return Division(layout.style, chapters, volumes)


def _marked_breaks(lines: Sequence[str], division: Division) -> Iterator[Break]:
    """Yield the breaks of a book with marked headings: by their names, and whatever follows the chapters."""
    first, last = division.chapters[0].line, division.chapters[-1].line
    taken = {mark.line for mark in [*division.chapters, *division.volumes]}
    lowest = max(division.levels[chapter.line] for chapter in division.chapters)
    for line in sorted(division.levels.keys() - taken):
        kind = kind_of_matter(lines[line], is_behind=line > first)
        if line > first and division.levels[line] > lowest:
            continue
        if kind or is_apparatus(lines[line]):
            yield Break(line, kind or "")
        elif line > last:
            yield Break(line, "afterword")


def _printed_breaks(text: InkedLines, chapters: Sequence[Mark], end: int) -> Iterator[Break]:
    """Yield the breaks of a book without marked headings, before the first chapter and in the last one."""
    lines = text.lines
    for line in _names_alone(lines, 0, chapters[0].line):
        kind = kind_of_matter(lines[line], is_behind=False)
        if kind or is_apparatus(lines[line]):
            yield Break(line, kind or "")
        elif line > 1 and not lines[line - 2].strip():
            stop = line + 1 + next(gaps(lines[line + 1 : chapters[0].line]))
            if text.between(line, stop) >= _SHORTEST_UNNAMED and is_prose(lines[line + 1 : stop]):
                yield Break(line, "preface")
    behind = chapters[-1].line + 1
    for line in _names_alone(lines, behind, end):
        kind = kind_of_matter(lines[line], is_behind=True)
        is_far = line > 1 and not lines[line - 2].strip()
        if kind or (is_far and is_apparatus(lines[line])):
            yield Break(line, kind or "")
        elif is_end_mark(lines[line]) and text.between(line, end) <= _LARGEST_ADDITION * text.between(behind, line):
            yield Break(line + 1, "")


def _names_alone(lines: Sequence[str], start: int, stop: int) -> Iterator[int]:
    """Yield the short lines between blank ones that can be a title."""
    for index in range(start, stop):
        line = lines[index].strip()
        if 0 < len(line) <= _LONGEST_NAME and (is_title(line) or line.isupper()):
            around = [*lines[max(0, index - 1) : index], *lines[index + 1 : index + 2]]
            if not any(map(str.strip, around)):
                yield index


def _leading_letters(text: InkedLines, marks: Sequence[Mark], layout: Layout) -> list[Mark]:
    """Return the marks of another word that count before the first chapter: a novel may open with four letters."""
    leading: list[Mark] = []
    first = layout.marks[0]
    for style in CHAPTER_WORDS - {layout.style} if layout.style in CHAPTER_WORDS else ():
        early = [mark for mark in marks if mark.style == style and mark.line < first.line]
        chain = find_chain(text, early, []).marks if early else []
        sizes = [text.behind(*pair) for pair in pairwise([*chain, first])]
        if len(sizes) > 1 and min(sizes) >= _SHORTEST_LETTER:
            leading = max(leading, chain, key=len)
    return leading


def _end_of_text(lines: Sequence[str], last: Mark, removals: Removals) -> int:
    """Return the line where a table of contents begins behind the last chapter, as in French books, or the end."""
    contents = find_contents(lines, last.line + 1, len(lines))
    if contents is None or not is_table(lines[contents + 1 :]):
        return len(lines)
    removals.add("table of contents", "\n".join(lines[contents:]))
    return contents


def _cut(
    text: InkedLines, division: Division, breaks: Sequence[Break], end: int, removals: Removals
) -> Iterator[Section]:
    """Yield the sections of a book up to line `end`: its chapters, and what is of another kind in its place."""
    lines, chapters = text.lines, division.chapters
    above = [-1, *(chapter.line for chapter in chapters)]
    opened = [
        _volumes_of(text, line, chapter, division.volumes) for line, chapter in zip(above, chapters, strict=False)
    ]
    starts = [min(mark.line for mark in [*new, chapter]) for new, chapter in zip(opened, chapters, strict=True)]
    stops = [_end_of_ink(lines, stop) for stop in [*starts[1:], end]]
    yield from _read_matter(lines, 0, starts[0], breaks, "front matter", removals)
    takes_title = _titles_follow(lines, chapters, stops)
    standing: list[Mark] = []
    for chapter, new, stop in zip(chapters, opened, stops, strict=True):
        opening: list[str] = []
        for volume, following in pairwise([*new, chapter]):
            printed, behind = _read_heading(lines, volume, following.line, takes_title=True)
            standing = _enter_volume(standing, replace(volume, label=printed, title=""))
            opening += behind
        own_stop = min([stop, *(other.line for other in breaks if other.line > chapter.line)])
        heading, body = _read_heading(lines, chapter, own_stop, takes_title)
        volume_heading = ", ".join(volume.printed for volume in standing)
        yield Section(volume_heading, heading, [*_without_title_page(opening, removals), *body])
        yield from _read_matter(lines, own_stop, stop, breaks, "back matter", removals)


def _read_matter(
    lines: Sequence[str], start: int, stop: int, breaks: Sequence[Break], reason: str, removals: Removals
) -> Iterator[Section]:
    """Yield the sections of a stretch outside the chapters that an author wrote; note all else in it as removed."""
    own = [other for other in breaks if start <= other.line < stop]
    removed = list(lines[start : own[0].line if own else stop])
    ends = [other.line for other in own[1:]] + [stop]
    for opening, end in zip(own, ends, strict=False):
        body = opening.line + 1
        kept = body + end_of_prose(lines[body:end]) if opening.kind else body
        if kept > body:
            yield Section("", lines[opening.line].strip(), list(lines[body:kept]), opening.kind)
        removed += lines[kept if kept > body else opening.line : end]
    removals.add(reason, "\n".join(removed), int(any(map(str.strip, removed))))


def _end_of_ink(lines: Sequence[str], stop: int) -> int:
    """Return the line behind the last one above `stop` that is not blank."""
    while stop and not lines[stop - 1].strip():
        stop -= 1
    return stop


def _volumes_of(text: InkedLines, above: int, chapter: Mark, volumes: Sequence[Mark]) -> list[Mark]:
    """Return the marks of the volumes that open with a chapter: of each style the last, shortly above the chapter."""
    near = [volume for volume in volumes if above < volume.line <= chapter.line]
    last = {volume.style: volume for volume in near if text.between(volume.line, chapter.line) <= NEAR_VOLUME}
    return sorted(last.values(), key=lambda volume: volume.line)


def _enter_volume(standing: list[Mark], volume: Mark) -> list[Mark]:
    """Return the volumes that a chapter stands in: `BOOK II` takes the place of `BOOK I` and of all parts within."""
    styles = [mark.style for mark in standing]
    outer = styles.index(volume.style) if volume.style in styles else len(styles)
    return [*standing[:outer], volume]


def _without_title_page(opening: list[str], removals: Removals) -> list[str]:
    """Return what stands between a volume's heading and its first chapter's, if it is more than a title page."""
    page = "\n".join(opening)
    if ink(page) >= _LONGEST_TITLE_PAGE:
        return [*opening, ""]
    removals.add("title page of a volume", page, int(ink(page) > 0))
    return []


def _titles_follow(lines: Sequence[str], chapters: Sequence[Mark], stops: Sequence[int]) -> bool:
    """Return whether the chapters that have no title beside their number have one below it, most of them."""
    untitled = [pair for pair in zip(chapters, stops, strict=True) if not pair[0].title]
    titled = [title_behind(lines, mark.line + 1, stop) for mark, stop in untitled]
    return sum(title is not None for title in titled) >= _TITLED_SHARE * len(untitled)


def _read_heading(lines: Sequence[str], mark: Mark, stop: int, takes_title: bool) -> tuple[str, list[str]]:
    """Return a heading with its title, and the lines behind them.

    Args:
        lines: lines of the book.
        mark: where the heading stands.
        stop: where what it heads ends.
        takes_title: whether the next paragraph may be the title.
    """
    behind = mark.line + 1
    if mark.title:
        return _read_title(lines[behind:stop], mark)
    title = title_behind(lines, behind, stop) if takes_title else None
    if title is None:
        return mark.printed, list(lines[behind:stop])
    return f"{mark.printed.rstrip('.:')}. {title[0]}", list(lines[title[1] : stop])


def _read_title(behind: Sequence[str], mark: Mark) -> tuple[str, list[str]]:
    """Return a heading with a title on its own line, and the lines behind it.

    The title may be wrapped into two more lines; what reads like the text itself is left to the text.
    """
    end = next((index for index, line in enumerate(behind) if not line.strip()), len(behind))
    whole = " ".join([mark.printed, *(line.strip() for line in behind[:end])])
    is_wrapped = whole.isupper() or (len(mark.printed) >= _LONG_LINE and whole[-1] not in ".!?,;:\"'")
    if end and end <= _WRAPPED_LINES and end < len(behind) and is_wrapped:
        return whole, list(behind[end:])
    if end and mark.label and not is_capitalised(mark.title):
        return mark.label, [mark.title.lstrip(CLOSING), *behind]
    return mark.printed, list(behind)
