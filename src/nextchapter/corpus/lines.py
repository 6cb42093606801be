"""The lines of a book as a table: what is asked of each of them, computed once for all of them."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from heapq import merge
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LINES_AT_ONCE = 3_000
_PIECE_CHARACTERS = 200_000
_CODES = range(1 << 16)
_OTHER_SPACE = frozenset(filter(str.isspace, map(chr, _CODES))) - {" "}
_INK, _MAY_BE_DIGIT, _SPACE, _OTHER_UNINKED = range(4)


def _kind_of(code: int) -> int:
    """Return what a code unit of UTF-16 is; of the two of a rare character the first may be a digit's."""
    character = chr(code)
    if character.isspace() or 0xDC00 <= code < 0xE000:
        return _SPACE if character in " \n" else _OTHER_UNINKED
    return _MAY_BE_DIGIT if character.isdecimal() or 0xD800 <= code < 0xDC00 else _INK


_KINDS = np.array(list(map(_kind_of, _CODES)), dtype=np.uint8)


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
    def ink(self) -> NDArray[np.int32]:
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
        return _is_one_of(characters)[self._columns.first]

    def end_with(self, characters: str) -> NDArray[np.bool_]:
        """Return of each line that is not blank whether, stripped, it ends with one of some characters."""
        return _is_one_of(characters)[self._columns.last]

    @cached_property
    def _columns(self) -> "_Columns":
        """What is told from the characters, in one pass."""
        count = len(self)
        columns = _Columns(
            np.zeros(count, np.int32), [], [], first=np.zeros(count, np.uint16), last=np.zeros(count, np.uint16)
        )
        for start in range(0, len(self), _LINES_AT_ONCE):
            text = "\n".join([*self.stripped[start : start + _LINES_AT_ONCE], ""])
            codes = code_units(text)
            kinds = look_up(codes, _KINDS)
            ends = np.flatnonzero(codes == ord("\n"))
            starts = np.append(0, ends[:-1] + 1)
            digits = np.flatnonzero(kinds == _MAY_BE_DIGIT)
            columns.with_digits.extend((start + np.unique(np.searchsorted(ends, digits))).tolist())
            columns.other_spaces.append(int(np.count_nonzero(kinds == _OTHER_UNINKED)))
            lines = slice(start, start + len(ends))
            columns.ink[lines] = np.add.reduceat(kinds < _SPACE, starts, dtype=np.int32)
            columns.first[lines], columns.last[lines] = codes[starts], codes[ends - 1]
        return columns


class _Columns(NamedTuple):
    ink: NDArray[np.int32]
    with_digits: list[int]
    other_spaces: list[int]
    """Of each piece, the number of other white space characters than spaces; what is no ink counts as well."""
    first: NDArray[np.uint16]
    """The first code unit of the stripped line; of a blank one a line feed, or what is left of another line."""
    last: NDArray[np.uint16]


def code_units(text: str) -> NDArray[np.unsignedinteger]:
    """Return the code units of a text in UTF-16, in one byte each where all of it is ASCII."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")


def look_up(codes: NDArray[np.unsignedinteger], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what a table says of each code unit; for single bytes Python is faster than numpy."""
    if codes.dtype == np.uint8:
        return np.frombuffer(codes.tobytes().translate(table[:256].tobytes()), np.uint8)
    return table.take(codes)


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


def pieces_of(text: str) -> Iterator[str]:
    """Yield a text in pieces that end at line ends, so that what is made of a long one takes little memory."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _PIECE_CHARACTERS)
        stop = end if end >= 0 else len(text)
        yield text[start:stop]
        start = stop


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


@lru_cache(maxsize=16)
def _is_one_of(characters: str) -> NDArray[np.bool_]:
    """Return of each code unit whether it is one of some characters."""
    table = np.zeros(len(_CODES), dtype=np.bool_)
    table[list(map(ord, characters))] = True
    return table
