"""The lines of a book as a table: what is asked of each of them, computed once for all of them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LINES_AT_ONCE = 50_000
_LINE_FEED = ord("\n")
_CODES = range(1 << 16)
WHITE_SPACE = "".join(filter(str.isspace, map(chr, _CODES)))
"""All characters that `str.strip` strips."""
# By code unit of UTF-16. Of the two units of a rare character the second is no ink, and either may be of a digit.
_IS_INK = np.array([not (chr(code).isspace() or 0xDC00 <= code < 0xE000) for code in _CODES])
_MAY_BE_DIGIT = np.array([chr(code).isdecimal() or 0xD800 <= code < 0xE000 for code in _CODES])


class Lines(list[str]):
    """Lines that change no more; a column of the table is computed when it is first asked for."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Lines":
        """Return the same lines as a table; a table as it is."""
        return lines if isinstance(lines, cls) else cls(lines)

    @cached_property
    def stripped(self) -> list[str]:
        """Each line without white space at its ends."""
        return list(map(str.strip, self))

    @cached_property
    def widths(self) -> NDArray[np.int32]:
        """The length of each stripped line in characters."""
        return np.fromiter(map(len, self.stripped), dtype=np.int32, count=len(self))

    @cached_property
    def is_blank(self) -> NDArray[np.bool_]:
        """Whether a line is white space at most."""
        return self.widths == 0

    @property
    def blank_above(self) -> NDArray[np.bool_]:
        """Whether a line is the first, or the one above it is blank."""
        return np.concatenate([[True], self.is_blank[:-1]])[: len(self)]

    @property
    def blank_below(self) -> NDArray[np.bool_]:
        """Whether a line is the last, or the one below it is blank."""
        return np.concatenate([self.is_blank[1:], [True]])[: len(self)]

    @cached_property
    def ink_before(self) -> list[int]:
        """The ink above each line, and at the end that of all lines."""
        return [0, *accumulate(self._columns.ink)]

    @property
    def with_digits(self) -> list[int]:
        """The lines that may hold a decimal digit of any script: all that do are among them."""
        return self._columns.with_digits

    def is_framed_by(self, characters: str) -> NDArray[np.bool_]:
        """Return of each line whether, stripped, it begins or ends with one of some characters."""
        is_one = np.zeros(len(_CODES), dtype=bool)
        is_one[list(map(ord, characters))] = True
        return is_one[self._columns.first] | is_one[self._columns.last]

    @cached_property
    def _columns(self) -> "_Columns":
        """What is told from the characters, in one pass."""
        columns = _Columns([], [], np.zeros(len(self), dtype=np.uint16), np.zeros(len(self), dtype=np.uint16))
        for start, codes in _codes_of(self.stripped):
            ends = np.flatnonzero(codes == _LINE_FEED)
            starts = np.concatenate([[0], ends[:-1] + 1])
            stop = start + len(ends)
            columns.ink.extend(np.add.reduceat(_IS_INK[codes], starts, dtype=np.int64).tolist())
            digits = np.searchsorted(ends, np.flatnonzero(_MAY_BE_DIGIT[codes]))
            columns.with_digits.extend((start + np.unique(digits)).tolist())
            columns.first[start:stop], columns.last[start:stop] = codes[starts], codes[ends - 1]
        return columns


class _Columns(NamedTuple):
    ink: list[int]
    with_digits: list[int]
    first: NDArray[np.uint16]
    """The first code unit of the stripped line; of a blank one a line feed, or what is left of another line."""
    last: NDArray[np.uint16]


def ink_of_lines(lines: Sequence[str]) -> list[int]:
    """Return of each line the number of characters that are not white space."""
    return [ink for _, codes in _codes_of(lines) for ink in _count_ink(codes)]


def lines_holding(text: str, sign: str) -> list[int]:
    """Return the lines of a text that hold a sign, by their places; the sign is one line at most."""
    found: list[int] = []
    line, counted, place = 0, 0, text.find(sign)
    while place >= 0:
        line += text.count("\n", counted, place)
        found.append(line)
        counted = text.find("\n", place)
        place = text.find(sign, counted) if counted >= 0 else -1
    return found


def _codes_of(lines: Sequence[str]) -> Iterator[tuple[int, NDArray[np.uint16]]]:
    """Yield the code units of the lines, a line feed behind each, in pieces that begin with the line given."""
    for start in range(0, len(lines), _LINES_AT_ONCE):
        text = "\n".join([*lines[start : start + _LINES_AT_ONCE], ""])
        yield start, np.frombuffer(text.encode("utf-16-le", "surrogatepass"), dtype="<u2")


def _count_ink(codes: NDArray[np.uint16]) -> list[int]:
    ends = np.flatnonzero(codes == _LINE_FEED)
    starts = np.concatenate([[0], ends[:-1] + 1])
    counts: list[int] = np.add.reduceat(_IS_INK[codes], starts, dtype=np.int64).tolist()
    return counts
