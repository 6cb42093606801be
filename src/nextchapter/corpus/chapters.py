"""From the lines of a book to its chapters: headings, volumes, and the lines of each."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from nextchapter.corpus.breaks import Break, Names, find_breaks
from nextchapter.corpus.layouts import NEAR_VOLUME, InkedLines, Layout, choose_layout, find_chain
from nextchapter.corpus.marks import CHAPTER_WORDS, CLOSING, Mark, find_marks, is_capitalised
from nextchapter.corpus.matter import CHAPTER, end_of_prose, is_interlude
from nextchapter.corpus.outline import Division, divide_by_headings, read_outline
from nextchapter.corpus.removals import Removals, ink
from nextchapter.corpus.titles import find_contents, is_table, title_behind

NO_HEADINGS = "none, cut into sections of similar length"
_TITLED_SHARE = 0.6
_SHORTEST_LETTER = 1000
_LONGEST_TITLE_PAGE = 200
_LONG_LINE = 45
_WRAPPED_LINES = 2


@dataclass(frozen=True)
class Section:
    """A chapter, or what an author put before or behind the chapters, as lines."""

    volume: str
    heading: str
    lines: list[str]
    kind: str = CHAPTER
    """A `chapter`, or a `preface`, `epilogue` and so on: `kind_of_matter` has them all."""


@dataclass(frozen=True)
class _Stretch:
    """The lines of a chapter or of an author's addition."""

    opening: Mark | Break
    volumes: list[Mark]
    """The marks of the volumes that open with it, above its own heading."""
    own_stop: int
    """Where notes, contents and the like begin in it, which are removed; else `stop`."""
    stop: int
    """Where it ends, and the next may begin."""

    @property
    def start(self) -> int:
        """The line where it begins, or the volume that it opens."""
        return min([self.opening.line, *(mark.line for mark in self.volumes)])


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
    return division.style, list(_cut(text, division, find_breaks(text, division, end), end, removals))


def _divide_by_marks(text: InkedLines) -> Division | None:
    """Return the division by the lines that read like headings, or None where none divides the book."""
    marks = find_marks(text.lines)
    layout = choose_layout(text, marks)
    if layout is None:
        return None
    chapters = _leading_letters(text, marks, layout) + layout.marks
    taken = {chapter.line for chapter in chapters if chapter.style not in CHAPTER_WORDS}
    volumes = [mark for mark in marks if mark.is_volume and mark.style != layout.style and mark.line not in taken]
    return Division(layout.style, chapters, [*volumes, *_named_volumes(text, chapters, volumes)])


def _named_volumes(text: InkedLines, chapters: Sequence[Mark], volumes: Sequence[Mark]) -> Iterator[Mark]:
    """Yield the names that stand for a volume where the chapters count anew: an epilogue may have chapters as well."""
    lines = text.lines
    anew = [pair for pair in pairwise(chapters) if pair[1].number == 1] if volumes else []
    names = Names(lines if anew else [])
    for before, chapter in anew:
        last = next((mark for mark in reversed(volumes) if mark.line <= chapter.line), None)
        if last is None or last.line > before.line:
            continue
        for line in names.between(before.line + 1, chapter.line):
            if is_interlude(lines[line]) and text.between(line + 1, chapter.line) <= _LONGEST_TITLE_PAGE:
                yield Mark(line, last.style, last.number + 1, lines[line].strip())


def _leading_letters(text: InkedLines, marks: Sequence[Mark], layout: Layout) -> list[Mark]:
    """Return the marks of another word that count before the first chapter: a novel may open with four letters."""
    leading: list[Mark] = []
    first = layout.marks[0]
    words = CHAPTER_WORDS - {layout.style} if layout.style in CHAPTER_WORDS else frozenset()
    early = [mark for mark in marks if mark.style in words and mark.line < first.line]
    for style in dict.fromkeys(mark.style for mark in early):
        chain = find_chain(text, [mark for mark in early if mark.style == style], []).marks
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
    """Yield the sections of a book up to line `end`: its chapters, and what is of another kind in its place.

    What follows the last chapter is of no volume, unless its like stood in a volume before.
    """
    lines, last = text.lines, division.chapters[-1].line
    stretches = _find_stretches(text, division, breaks, end)
    takes_title = _titles_follow(lines, stretches)
    standing: list[Mark] = []
    kinds_in_volumes: set[str] = set()
    removed, reason = list(lines[: stretches[0].start]), "front matter"
    for stretch in stretches:
        opening = stretch.opening
        standing, behind = _enter_volumes(lines, standing, stretch)
        volume = ", ".join(mark.printed for mark in standing)
        above = _without_title_page(behind, removals)
        if isinstance(opening, Mark):
            removals.add(reason, "\n".join(removed), int(any(map(str.strip, removed))))
            removed, reason, kept = [], "back matter", stretch.own_stop
            heading, body = _read_heading(lines, opening, kept, takes_title)
            yield Section(volume, heading, [*above, *body])
        else:
            is_within = division.holds(opening.line)
            prose = opening.body + end_of_prose(lines[opening.body : stretch.own_stop])
            kept = stretch.own_stop if is_within else prose
            heading = lines[opening.line].strip() if opening.is_titled else ""
            is_of_volume = opening.line < last or opening.kind in kinds_in_volumes
            kinds_in_volumes |= {opening.kind} if volume else set()
            yield Section(volume if is_of_volume else "", heading, [*above, *lines[opening.body : kept]], opening.kind)
        removed += lines[kept : stretch.stop]
    removals.add(reason, "\n".join(removed), int(any(map(str.strip, removed))))


def _find_stretches(text: InkedLines, division: Division, breaks: Sequence[Break], end: int) -> list[_Stretch]:
    """Return what chapters and breaks divide a book into, in its order; the lines before the first are none."""
    openings: list[Mark | Break] = [*division.chapters, *(item for item in breaks if item.kind)]
    openings.sort(key=lambda opening: opening.line)
    removed = [*(item.line for item in breaks if not item.kind), len(text.lines)]
    first = division.chapters[0].line
    stretches: list[_Stretch] = []
    stop = end
    for above, opening in reversed([*zip([None, *openings], openings, strict=False)]):
        own = division.volumes if opening.line >= first else _without_entries(division.volumes)
        volumes = _volumes_of(text, above.line if above else -1, opening.line, own)
        stop = _end_of_ink(text.lines, stop)
        own_stop = min(stop, removed[bisect_right(removed, opening.line)])
        stretches.append(_Stretch(opening, volumes, own_stop, stop))
        stop = stretches[-1].start
    return stretches[::-1]


def _end_of_ink(lines: Sequence[str], stop: int) -> int:
    """Return the line behind the last one above `stop` that is not blank."""
    while stop and not lines[stop - 1].strip():
        stop -= 1
    return stop


def _volumes_of(text: InkedLines, above: int, opening: int, volumes: Sequence[Mark]) -> list[Mark]:
    """Return the marks of the volumes that open at a line: of each style the last that stands shortly above it."""
    near = [volume for volume in volumes if above < volume.line <= opening]
    last = {volume.style: volume for volume in near if text.between(volume.line, opening) <= NEAR_VOLUME}
    return sorted(last.values(), key=lambda volume: volume.line)


def _without_entries(volumes: Sequence[Mark]) -> list[Mark]:
    """Return the marks of volumes without those that come again, which before the first chapter stand in contents."""
    last = {(volume.style, volume.number): volume for volume in volumes}
    return [volume for volume in volumes if last[volume.style, volume.number] is volume]


def _enter_volumes(lines: Sequence[str], standing: list[Mark], stretch: _Stretch) -> tuple[list[Mark], list[str]]:
    """Return the volumes that a stretch stands in, and the lines between their headings and its own."""
    behind: list[str] = []
    stops = [*(mark.line for mark in stretch.volumes[1:]), stretch.opening.line]
    for volume, stop in zip(stretch.volumes, stops, strict=False):
        is_beside = volume.line == stretch.opening.line
        printed, between = (volume.label, []) if is_beside else _read_heading(lines, volume, stop, takes_title=True)
        standing = _enter_volume(standing, replace(volume, label=printed, title=""))
        behind += between
    return standing, behind


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


def _titles_follow(lines: Sequence[str], stretches: Sequence[_Stretch]) -> bool:
    """Return whether the chapters that have no title beside their number have one below it, most of them."""
    untitled = [part for part in stretches if isinstance(part.opening, Mark) and not part.opening.title]
    titled = [title_behind(lines, part.opening.line + 1, part.own_stop) for part in untitled]
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
