"""The account of what cleaning took away: nothing is dropped silently."""

from dataclasses import dataclass, field
from typing import Any

from nextchapter.corpus.lines import Lines

SAMPLE_CHARACTERS = 120
_LONG_TEXT = 100_000  # whose words would fill the memory


def ink(text: str) -> int:
    """Return the number of characters that are not white space."""
    return len("".join(text.split())) if len(text) < _LONG_TEXT else int(Lines(text.split("\n")).ink.sum())


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
