"""Plain text for a terminal: at most 80 columns, aligned, coloured only where it is wanted."""

import textwrap
import unicodedata
from collections.abc import Sequence

WIDTH = 80
ROWS_MAX = 12
"""Runs listed on a screen; of more, the rest is counted."""


class Paint:
    """Bold and colours, or nothing."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def bold(self, text: str) -> str:
        """Return a heading."""
        return self._with("1", text)

    def muted(self, text: str) -> str:
        """Return what matters less."""
        return self._with("2", text)

    def gold(self, text: str) -> str:
        """Return the champion's row."""
        return self._with("33", text)


def field(name: str, text: str) -> list[str]:
    """Return `name   text`, wrapped under the text."""
    lines = wrap(text, 16) or [""]
    return [path_field(name, lines[0].lstrip()), *lines[1:]]


def path_field(name: str, path: str) -> str:
    """Return `name   path` in one line of any length: a path is there to be copied."""
    return f"  {name:<14}{path}"


def wrap(text: str, indent: int) -> list[str]:
    """Return a text as lines of at most 80 columns."""
    room = (WIDTH - 4 - indent) // (1 if _columns(text) == len(text) else 2)
    return [" " * indent + line for line in textwrap.wrap(printable(text), room, break_on_hyphens=False)]


def fit(text: str, width: int) -> str:
    """Return a text cut to a number of columns, with `...` where something is missing."""
    text = printable(text)
    if _columns(text) <= width:
        return text
    while _columns(text) > width - 3:
        text = text[:-1]
    return f"{text}..."


def printable(text: str) -> str:
    """Return a text with blanks for the signs that would steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _columns(text: str) -> int:
    """Return the width of a text; Chinese letters, for one, are two columns wide."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def few(names: Sequence[str], most: int = 6) -> str:
    """Return the first names, and how many more there are."""
    listed = ", ".join(fit(name, 50) for name in names[:most])
    return listed + (f" and {len(names) - most:,} more" if len(names) > most else "")


def more(rows: int) -> list[str]:
    """Return a line that counts the rows a screen has no room for, if there are any."""
    return [f"  ... and {rows - ROWS_MAX:,} more"] if rows > ROWS_MAX else []
