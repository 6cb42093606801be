"""The leaderboard as a figure: a dot a run, with its 95 % interval."""

import pandas as pd
from matplotlib.figure import Figure

from nextchapter.report.figures import INK, MUTED, WIDTH_INCHES, family_colours, short_name

ROWS_MAX = 40
"""A figure shows no more runs than this: the best, and the champion."""


def draw_leaderboard(leaderboard: pd.DataFrame) -> Figure:
    """Draw bits a character of the best runs on the test chapters, best on top, the champion marked."""
    shown = leaderboard[(leaderboard.index < ROWS_MAX) | leaderboard["champion"]].reset_index(drop=True)
    figure = Figure(
        figsize=(WIDTH_INCHES, 1.75 + (0.42 if len(shown) <= 12 else 0.27) * len(shown)), layout="constrained"
    )
    axes = figure.subplots()
    colours = family_colours(shown["model"])
    for place, row in enumerate(shown.itertuples()):
        colour, champion = colours[str(row.model)], bool(row.champion)
        axes.plot(
            [row.ci_low, row.ci_high],
            [place, place],
            color=colour,
            linewidth=5,
            alpha=0.28,
            solid_capstyle="butt",
        )
        axes.plot(
            row.test_bits_per_character, place, color=colour, marker="*" if champion else "o",
            markersize=17 if champion else 9, markeredgecolor="white", markeredgewidth=0.8, zorder=3,
        )  # fmt: skip
        axes.text(
            1.02, place, f"{row.test_bits_per_character:.3f}" + ("  champion" if champion else ""),
            transform=axes.get_yaxis_transform(), va="center_baseline", color=colour if champion else INK,
            fontweight="bold" if champion else "normal",
        )  # fmt: skip
    axes.set_yticks(range(len(shown)), [short_name(str(run)) for run in shown["run"]], color=INK, fontsize=11)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)
    axes.set_xlabel("bits a character on unseen chapters (fewer is better)")
    figure.suptitle(
        "How well each network foresees unread chapters", x=0.01, ha="left", fontsize=12.5, fontweight="bold"
    )
    figure.supxlabel(_reading(len(leaderboard), len(shown)), fontsize=9.5, color=MUTED)
    return figure


def _reading(runs: int, shown: int) -> str:
    note = "Dot: the score. Bar: its 95 % interval. Star: chosen as champion on the validation chapters."
    return note if shown == runs else f"The best {shown} of {runs:,} runs.\n{note}"
