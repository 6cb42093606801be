"""What the pages of a PDF say of the book: running heads at their edges, and headings where its outline leads."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nextchapter.corpus.document import heading_line
from nextchapter.corpus.formats.blocks import words_of
from nextchapter.corpus.marks import is_chapter_heading
from nextchapter.corpus.removals import Removals
from nextchapter.corpus.sentences import ENDS

_PAGE_NUMBER = re.compile(r"(?:^\W*(?P<first>\d{1,4})(?=\W|$)|(?:^|\s)(?P<last>\d{1,4})\W*$)")
_SENTENCE_ENDS = tuple(f"{ENDS}:;\"”’'»)」』")
_FEWEST_HEADS = 3
_FEWEST_BOOKMARKS = 3
_HEADED_SHARE = 0.2
_FOUND_SHARE = 0.8
_MOST_LINES = 4
_MOST_OTHER_WORDS = 4

Page = list[str]
"""The lines of a page."""


@dataclass(frozen=True)
class Bookmark:
    """A line of the outline that a PDF reader shows beside the pages."""

    level: int
    """1 for the outermost."""
    page: int
    """Index of the page that it leads to."""
    title: str


def remove_running_heads(pages: Sequence[Page], removals: Removals) -> list[Page]:
    """Return pages without the first and last lines that hold the page's number, or stand alike on other pages.

    A number is the page's where it grows with the pages: `The Storm 27` on one, `28 A. Writer` on the next. Without a
    number, a line must stand alike, and apart, on a fifth of the pages: a speaker's name may open some of them.
    """
    fewest = max(_FEWEST_HEADS, _HEADED_SHARE * len(pages))
    edges = [(number, line) for number, page in enumerate(pages) for line in _edges(page)]
    offsets = Counter(value - number for number, line in edges for value in _page_numbers(pages[number][line]))
    offset, count = max(offsets.items(), key=lambda item: item[1], default=(0, 0))
    alike = Counter(_bare(pages[number][line]) for number, line in edges if _is_apart(pages[number], line))
    heads = {
        (number, line)
        for number, line in edges
        if (count >= _FEWEST_HEADS and number + offset in _page_numbers(pages[number][line]))
        or (alike[_bare(pages[number][line])] >= fewest and _may_be_head(pages[number], line))
    }
    for number, line in sorted(heads):
        text = pages[number][line].strip()
        removals.add("running head" if any(map(str.isalpha, text)) else "page number", text)
    kept = [
        [text for line, text in enumerate(page) if (number, line) not in heads] for number, page in enumerate(pages)
    ]
    return list(_close_up(kept, {number for number, _ in heads}))


def _close_up(pages: Sequence[Page], changed: set[int]) -> Iterator[Page]:
    """Yield pages without the blank lines that parted a removed line from a sentence which goes on over the page."""
    before = ""
    for number, page in enumerate(pages):
        inked = [line for line, text in enumerate(page) if text.strip()]
        if not inked:
            yield page
            continue
        start, stop = (inked[0], inked[-1] + 1) if number in changed else (0, len(page))
        ends = not before or before.endswith(_SENTENCE_ENDS)
        opens = number in changed and ends and not page[inked[0]].strip()[0].islower()
        yield [*([""] if opens else []), *page[start:stop]]
        before = page[inked[-1]].strip()


def place_bookmarks(pages: Sequence[Page], outline: Sequence[Bookmark]) -> list[Page]:
    """Return pages with headings where the outline leads; as they are where it does not name what stands there.

    An outline is sound when most of its titles stand on the pages that they lead to. The others become headings at the
    top of their pages.
    """
    sound = [bookmark for bookmark in outline if bookmark.page < len(pages) and words_of(bookmark.title)]
    places = [(bookmark, _find_title(pages[bookmark.page], bookmark.title)) for bookmark in sound]
    found = sum(place is not None for _, place in places)
    if found < max(_FEWEST_BOOKMARKS, _FOUND_SHARE * len(sound)):
        return list(pages)
    placed = [list(page) for page in pages]
    for bookmark, place in reversed(places):
        page = placed[bookmark.page]
        start, stop = place or (0, 0)
        page[start:stop] = ["", heading_line(bookmark.level, _heading(page[start:stop], bookmark.title)), ""]
    return placed


def _find_title(page: Page, title: str) -> tuple[int, int] | None:
    """Return the lines of a page that hold a title and little more, with the chapter's number above it."""
    words = words_of(title)
    inked = [line for line, text in enumerate(page) if text.strip()]
    for place, start in enumerate(inked):
        for last in inked[place : place + _MOST_LINES]:
            said = words_of(" ".join(page[start : last + 1]))
            if said == words or (start == last and _holds(said, words) and len(said) - len(words) <= _MOST_OTHER_WORDS):
                above = inked[place - 1] if place else start
                return above if is_chapter_heading(page[above]) else start, last + 1
    return None


def _heading(lines: Sequence[str], title: str) -> str:
    """Return a title, with the chapter's number where only the page has it."""
    said = [line.strip() for line in lines if line.strip()]
    if not said or words_of(" ".join(said)) == words_of(title):
        return title
    return said[0] if len(said) == 1 else f"{said[0].rstrip('.:')}. {title}"


def _holds(words: Sequence[str], part: Sequence[str]) -> bool:
    return any(words[start : start + len(part)] == part for start in range(len(words) - len(part) + 1))


def _edges(page: Page) -> list[int]:
    """Return the first and the last line of a page that hold text, if there are others between them."""
    inked = [line for line, text in enumerate(page) if text.strip()]
    return [inked[0], inked[-1]] if len(inked) > 2 else []


def _page_numbers(line: str) -> set[int]:
    """Return the numbers at the ends of a line, which may be the page's; those of chapters are none."""
    if is_chapter_heading(line):
        return set()
    return {int(found["first"] or found["last"]) for found in _PAGE_NUMBER.finditer(line)}


def _bare(line: str) -> str:
    return _PAGE_NUMBER.sub("", line).strip()


def _is_apart(page: Page, line: int) -> bool:
    """Return whether a blank line parts the first or last line of a page from the others."""
    is_first = not any(map(str.strip, page[:line]))
    return not page[line + 1 if is_first else line - 1].strip()


def _may_be_head(page: Page, line: int) -> bool:
    """Return whether a line that stands alike on several pages can be a running head, rather than a line of speech."""
    bare = _bare(page[line])
    is_text = not any(map(str.isalpha, bare)) or bare.endswith(_SENTENCE_ENDS)
    return _is_apart(page, line) and not is_text and not is_chapter_heading(page[line])
