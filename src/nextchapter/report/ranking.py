"""The leaderboard as a figure: a row a run or, where runs differ in the seed alone, a row for all seeds of one."""

from math import nan
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.report.configurations import compare_configurations, configurations_of, have_seeds
from nextchapter.report.figures import FAINT, INK, MUTED, WIDTH_INCHES, family_colours, short_name
from nextchapter.report.leaderboard import rank_labels

ROWS_MAX = 40
"""A figure shows no more rows than this: the best, and the champion."""
_RUNS_NOTE = "Dot: the score. Bar: its 95 % interval. Star: chosen as champion on the validation chapters."
_TIES_NOTE = "Grey, with =: these share a rank, for what parts them from the best of them may be chance."
_SEEDS_NOTE = (
    "Large dot: mean over seeds; small dots: the runs. Dark bar: 95 % interval of the mean, by seeds.\n"
    "Pale bar: 95 % interval by the choice of chapters, in which all rows move together.\n"
    "Star: has the champion, chosen on the validation chapters."
)


def draw_leaderboard(leaderboard: pd.DataFrame) -> Figure:
    """Draw bits a character on the test chapters, best on top, the champion marked."""
    has_seeds = have_seeds(leaderboard)
    rows = compare_configurations(leaderboard) if has_seeds else leaderboard.assign(seeds_low=nan, seeds_high=nan)
    names = rows["configuration"] if has_seeds else rows["run"]
    rows = rows.assign(name=names, label=rank_labels(list(rows["rank"]))).reset_index(drop=True)
    shown = rows[(rows.index < ROWS_MAX) | rows["champion"]].reset_index(drop=True)
    height = 1.75 + (0.42 if len(shown) <= 12 else 0.27) * len(shown)
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.subplots()
    colours = family_colours(shown["model"])
    _shade_ties(axes, list(shown["rank"]))
    for place, row in enumerate(shown.itertuples()):
        _draw_row(axes, place, row, colours[str(row.model)])
    if has_seeds:
        _draw_runs(axes, leaderboard, list(shown["name"]))
    labels = [f"{label}  {short_name(str(name))}" for label, name in zip(shown["label"], shown["name"], strict=True)]
    axes.set_yticks(range(len(shown)), labels, color=INK, fontsize=11)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)
    axes.set_xlabel("bits a character on unseen chapters (fewer is better)")
    figure.suptitle(
        "How well each network foresees unread chapters", x=0.01, ha="left", fontsize=12.5, fontweight="bold"
    )
    note = _SEEDS_NOTE if has_seeds else _RUNS_NOTE
    if not has_seeds and leaderboard["rank"].duplicated().any():
        note = f"{note}\n{_TIES_NOTE}"
    if len(shown) < len(rows):
        note = f"The best {len(shown)} of {len(rows):,} {'networks' if has_seeds else 'runs'}.\n{note}"
    figure.supxlabel(note, fontsize=9, color=MUTED)
    return figure


def _shade_ties(axes: Axes, ranks: list[int]) -> None:
    """Shade the rows that share a rank with the row above or below them."""
    for rank in sorted({rank for rank in ranks if ranks.count(rank) > 1}):
        first = ranks.index(rank)
        axes.axhspan(first - 0.45, first + ranks.count(rank) - 0.55, color=FAINT, alpha=0.45, linewidth=0, zorder=0)


def _draw_row(axes: Axes, place: int, row: Any, colour: str) -> None:
    """Draw the score of a row of the leaderboard or of its configurations, with what intervals it has."""
    champion = bool(row.champion)
    bar: dict[str, Any] = {"color": colour, "linewidth": 5, "solid_capstyle": "butt"}
    axes.plot([row.ci_low, row.ci_high], [place, place], alpha=0.28, **bar)
    if pd.notna(row.seeds_low):
        axes.plot([row.seeds_low, row.seeds_high], [place, place], alpha=0.6, **bar)
    axes.plot(
        row.test_bits_per_character, place, color=colour, marker="*" if champion else "o",
        markersize=17 if champion else 9, markeredgecolor="white", markeredgewidth=0.8, zorder=3,
    )  # fmt: skip
    axes.text(
        1.02, place, f"{row.test_bits_per_character:.3f}" + ("  champion" if champion else ""),
        transform=axes.get_yaxis_transform(), va="center_baseline", color=colour if champion else INK,
        fontweight="bold" if champion else "normal",
    )  # fmt: skip


def _draw_runs(axes: Axes, leaderboard: pd.DataFrame, shown: list[str]) -> None:
    """Draw the score of each run above the row of its configuration."""
    for configuration, runs in leaderboard.groupby(configurations_of(leaderboard)):
        if configuration in shown and len(runs) > 1:
            scores = runs["test_bits_per_character"]
            height = [shown.index(str(configuration)) - 0.3] * len(scores)
            axes.plot(scores, height, linestyle="", marker="o", markersize=3.2, color=INK, alpha=0.75)
