"""The account of what cleaning took away: nothing is dropped silently."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SAMPLE_CHARACTERS = 120

_FEW_LINES, _LINES_AT_ONCE = 50, 50_000
_LINE_FEED = ord("\n")
# By code unit of UTF-16: white space is no ink, and of the two units of a rare character the second counts nothing.
_IS_INK = np.array([not (chr(code).isspace() or 0xDC00 <= code < 0xE000) for code in range(1 << 16)])


def ink(text: str) -> int:
    """Return the number of characters that are not white space."""
    return sum(ink_of_lines(text.split("\n")))


def ink_of_lines(lines: Sequence[str]) -> list[int]:
    """Return the ink of each line; many lines are counted at once, on the codes of their characters."""
    if len(lines) < _FEW_LINES:
        return [len("".join(line.split())) for line in lines]
    return [
        ink for start in range(0, len(lines), _LINES_AT_ONCE) for ink in _count(lines[start : start + _LINES_AT_ONCE])
    ]


def _count(lines: Sequence[str]) -> list[int]:
    codes = np.frombuffer("\n".join([*lines, ""]).encode("utf-16-le", "surrogatepass"), dtype="<u2")
    ends = np.flatnonzero(codes == _LINE_FEED)
    starts = np.concatenate([[0], ends[:-1] + 1])
    counts: list[int] = np.add.reduceat(_IS_INK[codes], starts, dtype=np.int64).tolist()
    return counts


@dataclass
class Repairs:
    """What was repaired in a book, by reason, in the order in which the reasons first came up."""

    _records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, reason: str, count: int, sample: str = "") -> None:
        """Note repairs.

        Args:
            reason: what was wrong, or what was made of it.
            count: how often.
            sample: a place as it was before.
        """
        if count:
            record = self._records.setdefault(reason, {"reason": reason, "count": 0, "sample": _shorten(sample)})
            record["count"] += count

    def records(self) -> list[dict[str, Any]]:
        """Return `reason`, `count` and the first `sample` of each kind."""
        return [dict(record) for record in self._records.values()]


@dataclass
class Removals:
    """What was removed from a book, by reason, in the order in which the reasons first came up."""

    repairs: Repairs = field(default_factory=Repairs)
    """What was put right in it meanwhile, and not removed."""
    _records: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, reason: str, text: str, count: int = 1) -> None:
        """Note that a piece of text was removed.

        Args:
            reason: what kind of thing it was.
            text: the piece itself; white space is not counted.
            count: how many things it is.
        """
        if not count:
            return
        record = self._records.setdefault(reason, {"reason": reason, "count": 0, "characters": 0, "sample": ""})
        record["count"] += count
        record["characters"] += ink(text)
        record["sample"] = record["sample"] or _shorten(text)

    def records(self) -> list[dict[str, Any]]:
        """Return `reason`, `count`, `characters` (without white space) and the first `sample` of each kind."""
        return [dict(record) for record in self._records.values()]


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SAMPLE_CHARACTERS else line[: SAMPLE_CHARACTERS - 1] + "…"
