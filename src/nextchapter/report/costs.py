"""What a network costs against how well it foresees: a table, the best bargains (the Pareto front), and a figure."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.report.figures import FAINT, MUTED, WIDTH_INCHES, configuration_colours, short_name, spread

SHORTEST_SECONDS = 0.01
"""A run is drawn as if it had taken so long at least: the scale is logarithmic, and clocks are rounded."""
NAMED_MAX = 16
"""So many runs are named: those of the front, then the best."""
_TICKS = {
    0.01: "0.01 s", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 36_000: "10 h",
    360_000: "100 h",
}  # fmt: skip
_NOTE = (
    "Grey steps, bold names: the best score to be had for that much training. What lies above\n"
    "the steps is beaten by a run that is no slower. A run made of others pays for their training too."
)


def costs_table(provenance: Sequence[Mapping[str, Any]], leaderboard: pd.DataFrame) -> pd.DataFrame:
    """Return a row a run, the cheapest first: what it took to train, with the runs that it is made of, and its score.

    Args:
        provenance: the runs' `run.json`.
        leaderboard: of the same runs.

    Returns:
        run, model, parameters, test_bits_per_character; `total_seconds` of training; `on_front`, whether no run that
        took as long or less is better.
    """
    records = {str(record["run"]): record for record in provenance}
    table = leaderboard[["run", "model", "parameters", "test_bits_per_character"]].copy()
    totals = [sum(records[name]["train_seconds"] for name in _made_of(run, records)) for run in table["run"]]
    table = table.assign(total_seconds=[round(total, 2) for total in totals])
    table = table.sort_values(["total_seconds", "test_bits_per_character", "run"], ignore_index=True)
    best_before = table["test_bits_per_character"].cummin().shift(fill_value=float("inf"))
    return table.assign(on_front=table["test_bits_per_character"] < best_before)


def _made_of(run: str, records: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return a run and, one inside the other, all that it is made of, each once."""
    return {run}.union(*(_made_of(member, records) for member in records[run].get("members", ())))


def draw_costs(costs: pd.DataFrame) -> Figure:
    """Draw the score of each run against its time of training, with the Pareto front."""
    figure = Figure(figsize=(WIDTH_INCHES, 5.4), layout="constrained")
    axes = figure.subplots()
    shown = costs.assign(x=costs["total_seconds"].clip(lower=SHORTEST_SECONDS))
    colours = configuration_colours(dict(zip(shown["run"], shown["model"], strict=True)))
    front = shown[shown["on_front"]]
    axes.step(
        [*front["x"], 1.6 * shown["x"].max()],
        [*front["test_bits_per_character"], front["test_bits_per_character"].iloc[-1]],
        where="post", color=MUTED, linewidth=1.4, zorder=1,
    )  # fmt: skip
    for row in shown.to_dict("records"):
        look: dict[str, Any] = (
            {"s": 90, "edgecolors": "white"} if row["on_front"] else {"s": 55, "edgecolors": FAINT, "alpha": 0.85}
        )
        axes.scatter(row["x"], row["test_bits_per_character"], color=colours[row["run"]], zorder=3, **look)
    axes.set_xscale("log")
    axes.set_xlim(0.6 * shown["x"].min(), 1.6 * shown["x"].max())
    ticks = [tick for tick in _TICKS if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [_TICKS[tick] for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("time of training")
    axes.set_ylabel("bits a character on unseen chapters")
    axes.set_title("What a better score costs")
    figure.supxlabel(_NOTE, fontsize=9, color=MUTED)
    _name_runs(axes, shown, colours)
    return figure


def _name_runs(axes: Axes, shown: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Write names at the right edge, level with their points, without two touching; those of the front are bold."""
    named = shown.sort_values(["on_front", "test_bits_per_character"], ascending=[False, True])[:NAMED_MAX]
    low, high = axes.get_ylim()
    edge, scores = axes.get_xlim()[1], named["test_bits_per_character"].tolist()
    levels = spread(scores, gap=(high - low) * min(0.052, 1 / len(named)))
    for row, score, level in zip(named.to_dict("records"), scores, levels, strict=True):
        colour = colours[row["run"]]
        leader = [row["x"], edge, edge * 1.12], [score, score, level]
        axes.plot(*leader, color=colour, linewidth=0.7, linestyle=(0, (1, 2)), clip_on=False, zorder=2)
        weight = "bold" if row["on_front"] else "normal"
        axes.text(edge * 1.16, level, short_name(row["run"]), color=colour, fontsize=10, va="center", fontweight=weight)
