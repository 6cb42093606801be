"""Numbers and names as a sentence has them; names are escaped for HTML."""

from collections.abc import Sequence
from html import escape


def counted(count: int, noun: str) -> str:
    """Return a number of things."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def bold(name: object) -> str:
    """Return a name in bold, escaped; letters of any script keep their direction."""
    return f"<b><bdi>{escape(str(name))}</bdi></b>"


def listed(names: Sequence[object]) -> str:
    """Return names in bold with commas and an `and`."""
    shown = [bold(name) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
