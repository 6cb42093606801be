"""Two figures of how the chapters are written: their distance from the author, and how their vocabulary grows."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.report.examination import nearest_other
from nextchapter.report.figures import (
    INK,
    MUTED,
    WIDTH_INCHES,
    LineEnd,
    configuration_colours,
    family_colours,
    label_line_ends,
    short_name,
)

ROWS_MAX = 40
"""A figure of distances shows no more chapters than this, the nearest; one of curves `CURVES_MAX`."""
CURVES_MAX = 12
_REAL = "#c9c9d2"


def draw_style(examinations: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> Figure:
    """Draw Burrows's Delta of each chapter to its author and to the nearest other, over the range of real passages.

    Args:
        examinations: `examination.json` of each run.
        kinds: the kind of model of each run.
    """
    by_delta = sorted(examinations, key=lambda one: (_delta(one, "chapter"), one["run"]))[:ROWS_MAX]
    colours = family_colours(kinds.values())
    figure = Figure(figsize=(WIDTH_INCHES, 2.1 + 0.4 * len(by_delta)), layout="constrained")
    axes = figure.subplots()
    for place, one in enumerate(by_delta):
        _draw_row(axes, place, one, colours[kinds[one["run"]]])
    axes.set_yticks(range(len(by_delta)), [short_name(str(one["run"])) for one in by_delta], color=INK, fontsize=11)
    axes.set_ylim(len(by_delta) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)
    author = short_name(str(by_delta[0]["author"]), 30)
    axes.set_xlabel("distance (Burrows's Delta; less is nearer)")
    title, note = f"How near each chapter comes to {author}", _style_note(by_delta, len(examinations), author)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12.5, fontweight="bold", parse_math=False)
    figure.supxlabel(note, fontsize=9, color=MUTED, parse_math=False)
    return figure


def _draw_row(axes: Axes, place: int, examination: Mapping[str, Any], colour: str) -> None:
    real: dict[str, Any] = {"color": _REAL, "linewidth": 9, "solid_capstyle": "butt", "zorder": 1}
    axes.plot([_delta(examination, "low"), _delta(examination, "high")], [place, place], **real)
    axes.plot([_delta(examination, "median")] * 2, [place - 0.2, place + 0.2], color=MUTED, linewidth=1.4, zorder=2)
    if nearest_other(examination) is not None:
        other = examination["measures"]["delta_to_nearest_other"]["chapter"]
        axes.plot(other, place, marker="D", markersize=6, color="white", markeredgecolor=colour, zorder=3)
    dot: dict[str, Any] = {"markersize": 9, "markeredgecolor": "white", "markeredgewidth": 0.8, "zorder": 4}
    axes.plot(_delta(examination, "chapter"), place, marker="o", color=colour, **dot)


def _delta(examination: Mapping[str, Any], name: str) -> float:
    return float(examination["measures"]["delta_to_author"][name])


def _style_note(shown: Sequence[Mapping[str, Any]], count: int, author: str) -> str:
    has_others = any(nearest_other(one) is not None for one in shown)
    lines = [
        f"Dot: the chapter's distance from {author}." + " Diamond: from the nearest other author." * has_others,
        "Grey bar: nine in ten real chapters of the same length, not read in training; its line is their median.",
        "A dot in the bar writes the small words as the author does, which is not to say that it makes sense.",
    ]
    return "\n".join([f"The nearest {len(shown)} of {count:,}."] * (len(shown) < count) + lines)


def draw_type_token(curves: Mapping[str, pd.DataFrame], kinds: Mapping[str, str]) -> Figure:
    """Draw how many different words there are among the first words of each chapter, over those of real passages.

    Args:
        curves: `type-token.csv` of each run.
        kinds: the kind of model of each run.
    """
    shown = dict(sorted(curves.items(), key=lambda item: -len(item[1]))[:CURVES_MAX])
    figure = Figure(figsize=(WIDTH_INCHES, 4.9), layout="constrained")
    axes = figure.subplots()
    real = next(iter(shown.values()))
    axes.fill_between(real["words"], real["low"], real["high"], color=_REAL, alpha=0.7, linewidth=0)
    axes.plot(real["words"], real["median"], color=MUTED, linewidth=1.4, linestyle=(0, (4, 2)))
    colours = configuration_colours({run: kinds[run] for run in shown})
    for run, curve in shown.items():
        axes.plot(curve["words"], curve["chapter"], color=colours[run], linewidth=1.8)
    axes.set_xlim(0, max(float(real["words"].max() if len(real) else 1), 1))
    axes.set_ylim(bottom=0)
    ends = [LineEnd(run, colours[run], *c[["words", "chapter"]].iloc[-1]) for run, c in shown.items() if len(c)]
    label_line_ends(axes, ends, gap=0.055)
    axes.set_xlabel("words of the chapter so far")
    axes.set_ylabel("different words among them")
    figure.suptitle("How fast each chapter brings new words", x=0.01, ha="left", fontsize=12.5, fontweight="bold")
    note = (
        "Grey band: nine in ten real chapters of the same length; dashes: their median.\n"
        "Below the band a network says the same words again; above it, it strings words together at random."
    )
    more = f"The longest {len(shown)} of {len(curves):,} chapters.\n" if len(shown) < len(curves) else ""
    figure.supxlabel(more + note, fontsize=9, color=MUTED)
    return figure
