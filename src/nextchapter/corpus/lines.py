"""The lines of a book as a table: what is asked of each of them, computed once for all of them."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from heapq import merge
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LINES_AT_ONCE = 50_000
_CODES = range(1 << 16)
WHITE_SPACE = "".join(filter(str.isspace, map(chr, _CODES)))
"""All characters that `str.strip` strips."""
_OTHER_SPACE = frozenset(WHITE_SPACE) - {" "}
# By code unit of UTF-16. Of the two units of a rare character the second is no ink, and either may be of a digit.
_NO_INK = np.array([chr(code).isspace() or 0xDC00 <= code < 0xE000 for code in _CODES])
_MAY_BE_DIGIT = np.array([chr(code).isdecimal() or 0xD800 <= code < 0xE000 for code in _CODES])


class Lines(list[str]):
    """Lines, without line feeds, that change no more; a column is computed when it is first asked for."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Lines":
        """Return the same lines as a table; a table as it is."""
        return lines if isinstance(lines, cls) else cls(lines)

    @cached_property
    def stripped(self) -> list[str]:
        """Each line without white space at its ends."""
        return list(map(str.strip, self))

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """The length of each line in characters."""
        return np.fromiter(map(len, self), dtype=np.int32, count=len(self))

    @cached_property
    def widths(self) -> NDArray[np.int32]:
        """The length of each stripped line in characters."""
        return np.fromiter(map(len, self.stripped), dtype=np.int32, count=len(self))

    @cached_property
    def is_blank(self) -> NDArray[np.bool_]:
        """Whether a line is white space at most."""
        return np.equal(self.widths, 0)

    @cached_property
    def blank_above(self) -> NDArray[np.bool_]:
        """Whether a line is the first, or the one above it is blank."""
        return np.concatenate([[True], self.is_blank[:-1]])[: len(self)]

    @cached_property
    def blank_below(self) -> NDArray[np.bool_]:
        """Whether a line is the last, or the one below it is blank."""
        return np.concatenate([self.is_blank[1:], [True]])[: len(self)]

    @cached_property
    def is_alone(self) -> NDArray[np.bool_]:
        """Whether a line is not blank and stands between blank ones, or at an end of the book."""
        return ~self.is_blank & self.blank_above & self.blank_below

    @property
    def ink(self) -> list[int]:
        """The number of characters of each line that are not white space."""
        return self._columns.ink

    @property
    def firsts(self) -> NDArray[np.uint16]:
        """The first code unit, in UTF-16, of each stripped line; of a blank one any."""
        return self._columns.first

    @property
    def with_digits(self) -> list[int]:
        """The lines that may hold a decimal digit of any script: all that do are among them."""
        return self._columns.with_digits

    @property
    def has_other_space(self) -> bool:
        """Whether a tab, a no-break space or the like may stand in a line, but at its end or behind a space."""
        padded = np.flatnonzero(self.lengths != self.widths).tolist()
        return any(self._columns.other_spaces) or any(self[index][0] in _OTHER_SPACE for index in padded)

    def begin_with(self, characters: str) -> NDArray[np.bool_]:
        """Return of each line that is not blank whether, stripped, it begins with one of some characters."""
        return np.isin(self._columns.first, list(map(ord, characters)))

    def end_with(self, characters: str) -> NDArray[np.bool_]:
        """Return of each line that is not blank whether, stripped, it ends with one of some characters."""
        return np.isin(self._columns.last, list(map(ord, characters)))

    @cached_property
    def _columns(self) -> "_Columns":
        """What is told from the characters, in one pass."""
        columns = _Columns([], [], [], np.zeros(len(self), dtype=np.uint16), np.zeros(len(self), dtype=np.uint16))
        for start, codes in _codes_of(self.stripped):
            uninked = _places(_NO_INK, codes, (codes <= ord(" ")) | (codes > ord("~")))
            of_feeds = np.flatnonzero(codes[uninked] == ord("\n"))
            spaces = int(np.count_nonzero(codes[uninked] == ord(" ")))
            columns.other_spaces.append(len(uninked) - len(of_feeds) - spaces)
            ends = uninked[of_feeds]
            columns.ink.extend((np.diff(ends, prepend=-1) - np.diff(of_feeds, prepend=-1)).tolist())
            digits = _places(_MAY_BE_DIGIT, codes, ((codes >= ord("0")) & (codes <= ord("9"))) | (codes > 0xFF))
            columns.with_digits.extend((start + np.unique(np.searchsorted(ends, digits))).tolist())
            lines = slice(start, start + len(ends))
            columns.first[lines], columns.last[lines] = codes[np.append(0, ends[:-1] + 1)], codes[ends - 1]
        return columns


class _Columns(NamedTuple):
    ink: list[int]
    with_digits: list[int]
    other_spaces: list[int]
    """Of each piece, the number of other white space characters than spaces; what is no ink counts as well."""
    first: NDArray[np.uint16]
    """The first code unit of the stripped line; of a blank one a line feed, or what is left of another line."""
    last: NDArray[np.uint16]


def lines_holding(text: str, *signs: str) -> list[int]:
    """Return the places among the lines of a text of those that hold one of some signs, each once."""
    found: list[int] = []
    line = counted = 0
    for place in merge(*(places_of(text, sign) for sign in signs)):
        line += text.count("\n", counted, place)
        counted = place
        if not found or found[-1] != line:
            found.append(line)
    return found


def places_of(text: str, sign: str) -> Iterator[int]:
    """Yield where a sign stands in a text; finding a fixed sign so is several times as fast as by a pattern."""
    place = text.find(sign)
    while place >= 0:
        yield place
        place = text.find(sign, place + len(sign))


def substitute(pattern: re.Pattern[str], signs: str, replace: Callable[[re.Match[str]], str], text: str) -> str:
    """Return a text with the matches of a pattern replaced, as `pattern.sub` does, but faster where few are.

    Args:
        pattern: it matches only what begins with one of the signs.
        signs: characters.
        replace: gives what takes the place of a match.
        text: the text.
    """
    parts: list[str] = []
    at = 0
    for place in merge(*(places_of(text, sign) for sign in signs)):
        found = pattern.match(text, place) if place >= at else None
        if found:
            parts += [text[at:place], replace(found)]
            at = found.end()
    return "".join([*parts, text[at:]]) if parts else text


def _codes_of(lines: Sequence[str]) -> Iterator[tuple[int, NDArray[np.unsignedinteger]]]:
    """Yield the code units of the lines, a line feed behind each, in pieces; with each the number of its first line."""
    for start in range(0, len(lines), _LINES_AT_ONCE):
        text = "\n".join([*lines[start : start + _LINES_AT_ONCE], ""])
        if text.isascii():
            yield start, np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        else:
            yield start, np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")


def _places(
    is_wanted: NDArray[np.bool_], codes: NDArray[np.unsignedinteger], is_possible: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the places of wanted code units; comparing is much faster than looking up, which is left to a few."""
    possible = np.flatnonzero(is_possible)
    return np.compress(is_wanted[codes[possible]], possible)
