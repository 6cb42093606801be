"""From lines to paragraphs: what a typist wrapped is joined, what a poet broke stays broken."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, pairwise
from statistics import quantiles

import numpy as np

from nextchapter.corpus.lines import Lines, pieces_of, places_of
from nextchapter.corpus.removals import Removals

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_TIED_BEFORE = re.compile(r"[^\W\d_]['’-]?\Z")
_TIED_BEHIND = re.compile(r"['’-]?[^\W\d_]")
_AROUND_WORDS = ".,;:!?…«»“”\"()-—'’_"
_HYPHENS = ("-", "\u2010")
_LAST_PART = re.compile(r"([^\W\d_]+)[-\u2010]$")
_FIRST_PART = re.compile(r"[^\W\d_]+")
_LOWER_START = re.compile("\n[a-zà-öø-ÿа-я]")
_UNUSUAL_JOINT = re.compile("\n(?:(?<=[-\u2010—\u2e80-\U0010ffff]\n)|(?=--|—))")
"""A line end where `Joiner` may put something else than a space."""
_WIDEST_WRAPPED = 120
_SHORT_LINES = 0.6
_RAGGED_LINES = 0.8
_CAPITAL_SHARE = 0.75
_VERSE_SHARE = 0.9
_LONG_VERSE = 8
_SPACELESS = re.compile("[\u2e80-\u312f\u3190-\ua95f\ua980-\uabff\ud800-\uff9f\uffdd-\U0010ffff]")
"""Chinese, Japanese and what is printed with them; Korean has spaces."""
_MOST_STARTS = 0.6
_SHORTEST_START = 20
_LINES_AT_ONCE = 2_000
_MOST_SEARCHES = 25
"""So many words are looked for in the text, which is quick; before more are, all words of the book are listed."""


class Joiner:
    """Joins the wrapped lines of one book."""

    def __init__(self, lines: Sequence[str], removals: Removals) -> None:
        """Learn the book's line width.

        Args:
            lines: the whole book, of which `paragraphs` gets parts.
            removals: where hyphens at line ends are noted that went with the line end.
        """
        self._lines = Lines.of(lines)
        self._removals = removals
        self.width = _line_width(self._lines)
        self._has_other_space = self._lines.has_other_space
        self._has_long_line = bool((self._lines.lengths > _WIDEST_WRAPPED).any())
        self._is_verse_book = _begin_capital_mostly(self._lines)
        self._is_known: dict[str, bool] = {}

    def _is_word(self, word: str) -> bool:
        """Return whether a word, in small letters, stands anywhere in the book, whole and within a line."""
        if word not in self._is_known:
            is_listed = len(self._is_known) >= _MOST_SEARCHES
            self._is_known[word] = word in self._words if is_listed else _stands_whole(word, self._lower_pieces)
        return self._is_known[word]

    @cached_property
    def _lower_pieces(self) -> list[str]:
        """The book in small letters, in pieces of whole lines."""
        starts = range(0, len(self._lines), _LINES_AT_ONCE)
        return ["\n".join(self._lines[start : start + _LINES_AT_ONCE]).lower() for start in starts]

    @cached_property
    def _words(self) -> set[str]:
        """The words of the book in small letters: those of its different pieces between spaces, which are far fewer."""
        unequal: set[str] = set()
        for piece in self._lower_pieces:
            unequal.update(piece.split())
        bare = {piece.strip(_AROUND_WORDS) for piece in unequal}
        of_several = [piece for piece in bare if not piece.isalpha()]
        return {*filter(str.isalpha, bare), *_WORD.findall("\n".join(of_several))}

    def join(self, lines: Sequence[str]) -> str:
        """Return the paragraphs of a chapter, a blank line between them; those of verse keep their line ends."""
        text = "\n\n".join(self._paragraphs(lines))
        return "".join(map(_single_spaced, pieces_of(text))) if "  " in text else text

    def _paragraphs(self, lines: Sequence[str]) -> Iterator[str]:
        if self._has_long_line and max(map(len, lines), default=0) > _WIDEST_WRAPPED:
            yield from chain.from_iterable(map(self._lay_out, split_blocks(lines)))
            return
        stripped = list(map(str.rstrip, lines))
        is_indented = min(filter(None, stripped), default="")[:1] <= " "  # no other sign in print comes before a space
        for padded in "\n".join(stripped).split("\n\n"):
            block = padded.strip("\n")
            if not block:
                continue
            if self._is_plain(block, is_indented):
                yield block.replace("\n", " ")
            else:
                yield from self._lay_out(block.split("\n"))

    def _is_plain(self, block: str, is_indented: bool) -> bool:
        """Return whether a block is certainly prose that only needs spaces for its line ends; most blocks are.

        Args:
            block: lines without white space at their ends.
            is_indented: whether a line of the chapter may begin with a space.
        """
        if is_indented and (block[0] == " " or "\n " in block):
            return False
        if self._has_other_space and not block.replace("\n", "").isprintable():
            return False
        if ("-" in block or not block.isascii()) and _UNUSUAL_JOINT.search(block):
            return False
        line_ends = block.count("\n")
        if not line_ends:
            return True
        fullness = (block.rfind("\n") - line_ends + 1) / line_ends / self.width
        if fullness >= _RAGGED_LINES and line_ends + 1 < _LONG_VERSE and not self._is_verse_book:
            return True
        most_capitals = line_ends + 1 - len(_LOWER_START.findall(block))
        return fullness >= _SHORT_LINES and most_capitals / (line_ends + 1) < _CAPITAL_SHARE

    def _lay_out(self, block: Sequence[str]) -> Iterator[str]:
        for paragraph in _split_block(block):
            if self._is_verse(paragraph):
                yield "\n".join(_collapse(line.strip()) for line in paragraph)
            else:
                yield self._join(paragraph)

    def _is_verse(self, block: Sequence[str]) -> bool:
        """Return whether the lines of a block end before they are full, or begin with capitals one and all."""
        if len(block) < 2:
            return False
        fullness = sum(map(len, map(str.strip, block[:-1]))) / (len(block) - 1) / self.width
        is_ragged, is_long = fullness < _RAGGED_LINES, len(block) >= _LONG_VERSE
        if fullness < _SHORT_LINES:
            return True
        if not (is_ragged or is_long or self._is_verse_book):
            return False
        capital = sum(map(_begins_capital, block)) / len(block)
        is_set_off = len(block) > 3 or all(map(_is_indented, block))
        return (
            (is_ragged and capital >= _CAPITAL_SHARE and is_set_off)
            or (capital >= _CAPITAL_SHARE and self._is_verse_book)
            or (capital >= _VERSE_SHARE and is_long)
        )

    def _join(self, block: Sequence[str]) -> str:
        lines = "\n".join(map(str.strip, block))
        if _UNUSUAL_JOINT.search(lines):
            return self._join_one_by_one(lines.split("\n"))
        return _collapse(lines.replace("\n", " "))

    def _join_one_by_one(self, lines: Sequence[str]) -> str:
        parts: list[str] = []
        for line in map(_collapse, lines):
            if parts:
                parts[-1] = self._end_before(parts[-1], line)
            parts.append(line)
        return "".join(parts)

    def _end_before(self, line: str, following: str) -> str:
        """Return a line with what joins it to the next: a space, or nothing behind a dash or a broken word."""
        last = _LAST_PART.search(line) if line.endswith(_HYPHENS) else None
        first = _FIRST_PART.match(following)
        if last and first and first[0][0].islower():
            if not self._is_word((last[1] + first[0]).lower()):
                return line
            self._removals.add("hyphen at a line end", line[-1])
            return line[:-1]
        if line.endswith(("--", "—")) or following.startswith(("--", "—")):
            return line
        return line if _SPACELESS.match(line[-1]) and _SPACELESS.match(following) else f"{line} "


def _stands_whole(word: str, texts: Iterable[str]) -> bool:
    """Return whether what is read as one word stands in one of some texts, and not only as a part of others."""
    places = ((text, place) for text in texts for place in places_of(text, word)) if _WORD.fullmatch(word) else ()
    return any(
        not _TIED_BEFORE.search(text, max(0, place - 2), place) and not _TIED_BEHIND.match(text, place + len(word))
        for text, place in places
    )


def kept_paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """Yield the blocks between blank lines, their lines as they are but for white space at the end."""
    for block in split_blocks(lines):
        yield "\n".join(line.rstrip() for line in block)


def split_blocks(lines: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the runs of lines between blank lines."""
    blank = [index for index, line in enumerate(lines) if not line.strip()]
    for before, after in pairwise([-1, *blank, len(lines)]):
        if after - before > 1:
            yield lines[before + 1 : after]


def _split_block(block: Sequence[str]) -> list[Sequence[str]]:
    """Return the paragraphs of a block: lines too long to be wrapped, or what begins with an indented line."""
    if max(map(len, block)) > _WIDEST_WRAPPED:
        return [[line] for line in block]
    starts = [index for index in range(1, len(block)) if _opens_paragraph(block[index])]
    enough_lines = 1 + len(starts) <= _MOST_STARTS * len(block)
    if not starts or not enough_lines or any(len(block[index].strip()) < _SHORTEST_START for index in starts):
        return [block]
    return [block[start:stop] for start, stop in pairwise([0, *starts, len(block)])]


def _is_indented(line: str) -> bool:
    return line.startswith(("  ", "\t"))


def _opens_paragraph(line: str) -> bool:
    return line[0] in " \t" and _is_indented(line) and not line.lstrip()[0].islower()


def _collapse(line: str) -> str:
    """Return a stripped line with its white space made spaces, if it has other than those; most lines have not."""
    return line if line.isprintable() else " ".join(line.split())


def _single_spaced(text: str) -> str:
    """Return a text with one space in place of several; in long texts this is much faster than `str.replace`."""
    codes = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    is_space = codes == ord(" ")
    kept: bytes = codes[~(is_space & np.append(False, is_space[:-1]))].tobytes()
    return kept.decode("utf-8", "surrogatepass")


def _line_width(lines: Lines) -> float:
    """Return the length that a full line of the book has: that of the longest tenth of the lines with others below."""
    inked = np.flatnonzero(~lines.is_blank)
    sizes = np.diff(np.flatnonzero(lines.blank_above[inked]), append=len(inked))  # of the blocks
    counts = (np.repeat(sizes, sizes) > 2) & ~lines.blank_below[inked] & (lines.lengths[inked] <= _WIDEST_WRAPPED)
    widths = np.sort(lines.widths[inked[counts]]).tolist()
    return max(1.0, quantiles(widths, n=10)[-1]) if len(widths) > 1 else 1.0


def _begin_capital_mostly(lines: Lines) -> bool:
    """Return whether most lines with others above begin with capitals."""
    later = ~lines.is_blank & ~lines.blank_above
    letters, counts = np.unique(lines.firsts[later], return_counts=True)
    is_letter = np.array([chr(code).isalpha() for code in letters], dtype=bool)
    is_capital = np.array([chr(code).isupper() for code in letters], dtype=bool)
    others = np.flatnonzero(later & np.isin(lines.firsts, letters[~is_letter]))
    capitals = int(counts[is_letter & is_capital].sum()) + sum(_begins_capital(lines[index]) for index in others)
    return capitals >= _CAPITAL_SHARE * max(1, int(later.sum()))


def _begins_capital(line: str) -> bool:
    first = line[:1]
    return first.isupper() if first.isalpha() else next(filter(str.isalpha, line), "").isupper()
