"""Two figures of what runs foresee: whether their chances hold (calibration), and where in a text they lose."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from nextchapter.report.figures import INK, MUTED, WIDTH_INCHES, configuration_colours, short_name, spread

CURVES_MAX = 9
"""Runs whose calibration is drawn: the best, and the champion."""
LINES_MAX = 8
"""Runs whose losses are drawn: the best of each kind of model, so many at most."""
FLAT_NATS = 0.2
"""The scale of the losses between two cuts reaches so far at least, or what is chance would look like much."""
COLUMNS = ("run", "table", "low", "high", "unit", "count", "loss")
_COUNTS = {"place": "characters", "truncation": "tokens", "frequency": "words"}
_LOSSES = {"place": "bits_per_character", "truncation": "nats_per_token", "frequency": "bits_per_word"}
Profiles = Mapping[str, Mapping[str, Any]]
"""The `profile.json` of runs, by their names."""


def draw_calibration(profiles: Profiles, leaderboard: pd.DataFrame) -> Figure:
    """Draw for each of the best runs how often its first guess came true, against the chance that it gave it."""
    shown = leaderboard[(leaderboard.index < CURVES_MAX - 1) | leaderboard["champion"]]
    if len(leaderboard) <= CURVES_MAX:
        shown = leaderboard
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(WIDTH_INCHES, 1.1 + 2.2 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    colours = configuration_colours(dict(zip(shown["run"], shown["model"], strict=True)))
    for axes, row in zip(grid, shown.to_dict("records"), strict=False):
        _draw_reliability(axes, profiles[row["run"]]["reliability"], colours[row["run"]])
        axes.set_title(short_name(str(row["run"]), 17), fontsize=10)
        error = f"off by {100 * row['test_expected_calibration_error']:.1f} %"
        axes.text(0.96, 0.06, error, transform=axes.transAxes, ha="right", fontsize=9, color=INK)
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle("Does what they hold likely come true?", x=0.01, ha="left", fontsize=12.5, fontweight="bold")
    figure.supxlabel("chance given to the likeliest next word piece", fontsize=10)
    figure.supylabel("how often it came", fontsize=10)
    return figure


def _draw_reliability(axes: Axes, curve: Sequence[Mapping[str, float]], colour: str) -> None:
    """Draw a reliability curve: dots as large as the share of the tokens in them, beside the line of a perfect one."""
    tokens = sum(point["tokens"] for point in curve)
    confidence, accuracy = ([point[name] for point in curve] for name in ("confidence", "accuracy"))
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.plot(confidence, accuracy, color=colour, linewidth=1.2)
    axes.scatter(
        confidence, accuracy, s=[6 + 260 * point["tokens"] / tokens for point in curve], color=colour, alpha=0.8
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axis.set_ticks([0, 0.5, 1])
    axes.tick_params(labelsize=9)


def tabulate_losses(profiles: Profiles) -> pd.DataFrame:
    """Return the losses of all runs by place, by place between two cuts of the gradient, and by frequency of words."""
    rows = [
        (run, table, entry["low"], entry["high"], loss, entry[_COUNTS[table]], entry[loss])
        for run, profile in profiles.items()
        for table, loss in _LOSSES.items()
        for entry in profile[table]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def draw_losses(losses: pd.DataFrame, leaderboard: pd.DataFrame) -> Figure:
    """Draw where runs lose: by place in the chapter, by frequency of words, and between two cuts of the gradient."""
    shown = leaderboard.drop_duplicates("model").head(LINES_MAX)
    kinds = dict(zip(shown["run"], shown["model"], strict=True))
    colours = configuration_colours(kinds)
    figure = Figure(figsize=(WIDTH_INCHES, 10.4), layout="constrained")
    above, middle, below = figure.subplots(3, 1)
    tables = {name: _lines(losses, name, list(kinds)) for name in _LOSSES}
    _draw_lines(above, tables["place"], colours, [f"{high:,}" for high in tables["place"].index])
    above.set_title("From the first letter of a chapter on")
    above.set_xlabel("letters of the chapter read, up to")
    above.set_ylabel("bits a character")
    _draw_words(middle, tables["frequency"], colours, _word_counts(losses))
    cuts = tables["truncation"]
    below.update_datalim([(0, -FLAT_NATS), (0, FLAT_NATS)])
    _draw_lines(below, cuts - cuts.mean(), colours, [str(place) for place in cuts.index])
    below.set_title("Between two cuts of the gradient in training")
    below.set_xlabel("word pieces since the cut, up to")
    below.set_ylabel("nats a token,\nless their mean")
    return figure


def _lines(losses: pd.DataFrame, table: str, runs: Sequence[str]) -> pd.DataFrame:
    """Return one of the tables with a column a run, those of the runs that have it, and a row a class."""
    part = losses[losses["table"] == table].pivot_table(index="high", columns="run", values="loss", sort=True)
    return part[[run for run in runs if run in part]]


def _word_counts(losses: pd.DataFrame) -> dict[int, int]:
    """Return how many words of the test chapters each class of frequencies holds."""
    part = losses[losses["table"] == "frequency"].drop_duplicates("high")
    return dict(zip(part["high"].astype(int), part["count"].astype(int), strict=True))


def _draw_words(axes: Axes, table: pd.DataFrame, colours: Mapping[str, str], counts: Mapping[int, int]) -> None:
    """Draw what each run needs more than the best one for a word, by how often the word stood in training."""
    names = {0: "never", 9: "1 to 9"} | {high: f"{(high + 1) // 10:,}+" for high in table.index if high > 9}
    ticks = [f"{names[high]}\n{counts[high]:,}" for high in table.index]
    best = table.columns[0]
    _draw_lines(axes, table.sub(table[best], axis=0), colours, ticks)
    axes.set_title("Rare words and frequent ones, against the best")
    axes.set_xlabel("how often it stands in training; such words in the test")
    axes.set_ylabel(f"bits a word more\nthan {short_name(str(best))}")


def _draw_lines(axes: Axes, table: pd.DataFrame, colours: Mapping[str, str], ticks: Sequence[str]) -> None:
    """Draw a line a column, named at its right end."""
    places, runs = list(range(len(table))), [str(run) for run in table]
    lines = {run: table[run].reset_index(drop=True).dropna() for run in runs}  # runs may be cut at other places
    for run, line in lines.items():
        axes.plot(line.index, line, color=colours[run], linewidth=1.6, marker="o", markersize=3.4)
    axes.set_xticks(places, ticks, fontsize=9)
    axes.set_xlim(-0.2, len(places) - 0.8)
    if not runs:
        axes.text(0.5, 0.5, "No run was trained in such stretches.", ha="center", transform=axes.transAxes, color=MUTED)
        return
    low, high = axes.get_ylim()
    ends = [(int(line.index[-1]), float(line.iloc[-1])) for line in lines.values()]
    levels = spread([end for _, end in ends], gap=(high - low) * 0.085)
    edge, step = len(places) - 0.8, len(places) / 100
    for run, (place, end), level in zip(runs, ends, levels, strict=True):
        leader = [place, edge + step], [end, level]
        axes.plot(*leader, color=colours[run], linewidth=0.7, linestyle=(0, (1, 2)), clip_on=False)
        axes.text(
            edge + 1.3 * step, level, short_name(run), color=colours[run], fontsize=9, va="center", fontweight="bold"
        )
