"""What the chapters were found to copy, and how they are written: as a table, and as marks below a chapter."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import pandas as pd

_MEASURES = (
    "longest_copied_words",
    "copied_8gram_share",
    "delta_to_author",
    "delta_to_nearest_other",
    "distinct_2",
    "repeated_4gram_share",
)

MARKS_CSS = """
.marks { display: grid; grid-template-columns: 1fr max-content; gap: .15rem 1rem; max-width: 40rem; margin: 0 auto 1rem;
  font-size: .88rem; }
.marks dt { color: var(--muted); } .marks dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }
.marks dd small { color: var(--muted); display: block; }
"""


def add_copying(leaderboard: pd.DataFrame, examinations: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the leaderboard with `longest_copied_words` of each run's chapter, and whether it `copies` too many.

    Raises:
        ValueError: the examinations are not those of the leaderboard's runs.
    """
    by_run = {str(one["run"]): one for one in examinations}
    if set(by_run) != set(leaderboard["run"]):
        raise ValueError(f"examinations of {sorted(by_run)} and a leaderboard of {sorted(leaderboard['run'])}")
    found = [by_run[run] for run in leaderboard["run"]]
    longest = [int(one["measures"]["longest_copied_words"]["chapter"]) for one in found]
    return leaderboard.assign(longest_copied_words=longest, copies=[bool(one["flagged"]) for one in found])


def chapters_table(examinations: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a row a run: what its chapter copies and how it is written, each with the range of real passages."""
    return pd.DataFrame([_row(one) for one in examinations])


def _row(examination: Mapping[str, Any]) -> dict[str, Any]:
    row = {name: examination[name] for name in ("run", "words", "compared_words", "author")}
    row["nearest_other"] = nearest_other(examination) or ""
    for name in _MEASURES:
        found = examination["measures"].get(name, {})
        row |= {
            name: found.get("chapter"),
            f"{name}_real_low": found.get("low"),
            f"{name}_real_high": found.get("high"),
        }
    return row | {"flagged": examination["flagged"]}


def nearest_other(examination: Mapping[str, Any]) -> str | None:
    """Return the author that Delta puts nearest to a chapter, the own one apart; None where there is no other."""
    others = {author: delta for author, delta in examination["deltas"].items() if author != examination["author"]}
    return min(others, key=lambda author: others[author]) if others else None


class _Mark(NamedTuple):
    measure: str
    says: str
    unit: str


_MARKS = (
    _Mark("longest_copied_words", "most words in a row that stand in the training books", "words"),
    _Mark("copied_8gram_share", "eight-word phrases that stand there", "share"),
    _Mark("delta_to_author", "distance from {author}", "number"),
    _Mark("delta_to_nearest_other", "distance from the nearest other author, {other}", "number"),
    _Mark("distinct_2", "word pairs that are new where they stand", "share"),
    _Mark("repeated_4gram_share", "four-word phrases said again", "share"),
    _Mark("sentence_words", "words a sentence", "mean"),
    _Mark("dialogue_share", "words in quotation marks", "share"),
)


def marks(examination: Mapping[str, Any]) -> str:
    """Return what was found of a chapter as HTML, to stand below it; real passages of the same length beside it."""
    names = {"author": examination["author"], "other": nearest_other(examination) or ""}
    lines = "\n".join(
        _line(mark.says.format(**names), examination["measures"][mark.measure], mark.unit)
        for mark in _MARKS
        if mark.measure in examination["measures"]
    )
    return f"""{_copied(examination)}
<dl class="marks">
{lines}
</dl>
<p class="origin">In brackets: nine in ten of {examination["passages"]} passages of
{examination["compared_words"]:,} words from real chapters that no network has read. Distance: Burrows's Delta, by how
often the small words occur.</p>"""


def _line(says: str, found: Mapping[str, float], unit: str) -> str:
    value, low, high = (_shown(found[name], unit) for name in ("chapter", "low", "high"))
    return f"<dt>{escape(says)}</dt><dd>{value} <small>({low} to {high})</small></dd>"


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.1f} %"
    decimals = {"words": 0, "mean": 1, "number": 2}[unit]
    return f"{value:.{decimals}f}"


def _copied(examination: Mapping[str, Any]) -> str:
    """Return the longest copied span and where it stands; a warning where it is too long."""
    place = examination["copied_from"]
    if place is None:
        return '<p class="origin">No four words in a row stand in the training books.</p>'
    most = examination["max_copied_words"]
    flag = f'<span class="flag">Copies more than {most} words in a row.</span> ' if examination["flagged"] else ""
    words = examination["copied_text"].split()
    text = " ".join(words if len(words) <= 60 else [*words[:60], "…"])
    return (
        f'<p class="origin">{flag}Its longest borrowed phrase: <q lang="" dir="auto">{escape(text)}</q> '
        f"({escape(place['book'])}, chapter {place['chapter']}).</p>"
    )
