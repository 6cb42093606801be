"""What a search has found: a table of its runs, and the values it tried against the score on validation."""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nextchapter.report.figures import FAINT, INK, MUTED, WIDTH_INCHES, short_name
from nextchapter.report.leaderboard import pair_records
from nextchapter.spec.base import canonical_json
from nextchapter.spec.study import configuration_of

SCORE = "valid_bits_per_character"
CELLS_MAX = 12
"""A heat map of more rows or columns than this has no room for its numbers."""
TICKS_MAX = 6
"""So many values of a list are written below the axis."""
LOG_FROM_RATIO = 8
"""Numbers of a list whose largest is so many times the smallest are laid out by their logarithm."""
Scale = Literal["log", "linear"]
# Okabe and Ito's blue and vermilion, which people with any kind of colour vision tell apart.
_DOT: Any = {"s": 36, "color": "#0072B2", "linewidths": 0.5, "edgecolors": "white"}
_STAR: Any = {"s": 190, "marker": "*", "color": "#D55E00", "edgecolors": "white", "linewidths": 0.8, "zorder": 3}
_FRAME: Any = {"fill": False, "edgecolor": "#D55E00", "linewidth": 3.5, "clip_on": False, "zorder": 3}
_SCORE_LABEL = "bits a character, validation"
_NOTE = (
    "{mark}: the best, {best}, by the validation chapters. Fewer bits are better.\n"
    "What is best by a hair may be so by luck: more seeds tell."
)


def search_table(
    provenance: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]], fields: Sequence[str]
) -> pd.DataFrame:
    """Return the runs of a search, one a row, the best on the validation chapters first.

    The best is the configuration with the lowest mean of bits a character there over its seeds.

    Args:
        provenance: the runs' `run.json`.
        metrics: their `metrics.json`, in the same order.
        fields: the keys that were searched.

    Raises:
        ValueError: there is no run, or the two lists are not of the same runs.
    """
    table = pd.DataFrame([_row(*pair, fields) for pair in pair_records(provenance, metrics)])
    means = table.groupby("configuration")[SCORE].transform("mean")
    table = table.assign(mean=means).sort_values(["mean", "configuration", "seed"], ignore_index=True)
    table["best"] = table["configuration"] == table["configuration"].iloc[0]
    return table.drop(columns="mean")


def _row(run: Mapping[str, Any], scores: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    splits = scores["splits"]
    return {
        "run": run["run"],
        "configuration": configuration_of(run["run"], run["seed"]),
        "seed": run["seed"],
        **{field: _cell(run["search"]["values"][field]) for field in fields},
        SCORE: splits["valid"]["bits_per_character"],
        "test_bits_per_character": splits["test"]["bits_per_character"],
        "train_seconds": run["train_seconds"],
        "parameters": run["parameters"],
    }


def _cell(value: Any) -> Any:
    """Return a value of the configuration as a table holds it: a number, or text."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number or isinstance(value, str) else canonical_json(value)


def draw_search(table: pd.DataFrame, grid: Sequence[str], random: Sequence[str], scales: Mapping[str, Scale]) -> Figure:
    """Draw the scores of a search: two keys of a grid as a heat map, others each in a panel of its own.

    Args:
        table: as `search_table` returns it.
        grid: the keys of its grid.
        random: those that were drawn.
        scales: of the axes of keys whose numbers were drawn from a range; others are laid out as their values ask.
    """
    if len(grid) == 2 and not random and max(table[field].nunique() for field in grid) <= CELLS_MAX:
        figure, mark = _draw_heat_map(table, *sorted(grid, key=lambda field: -table[field].nunique())), "Frame"
    else:
        figure, mark = _draw_panels(table, [*grid, *random], scales), "Star"
    best = short_name(str(table["configuration"].iloc[0]))
    figure.supxlabel(_NOTE.format(mark=mark, best=best), fontsize=9, color=MUTED)
    title = f"{len(table):,} runs: which values serve best?"
    figure.suptitle(title, x=0.01, ha="left", fontsize=12.5, fontweight="bold")
    return figure


def _draw_heat_map(table: pd.DataFrame, across: str, down: str) -> Figure:
    """Draw the mean score of each pair of values as a shade and a number; the best is framed."""
    columns, rows = _in_order(table[across]), _in_order(table[down])
    scores = table.groupby([down, across])[SCORE].mean()
    figure = Figure(figsize=(WIDTH_INCHES, 1.9 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    low, high = float(scores.min()), _ceiling(scores)
    shades = [[scores[row, column] for column in columns] for row in rows]
    image = axes.imshow(shades, cmap="cividis", vmin=low, vmax=max(high, low + 1e-9), aspect="auto")
    size = 11 if len(columns) <= 7 else 8
    for y, x in product(range(len(rows)), range(len(columns))):
        ink = "white" if shades[y][x] < (low + high) / 2 else INK
        axes.text(x, y, f"{shades[y][x]:.3f}", ha="center", va="center", color=ink, fontsize=size)
    best = table.iloc[0]
    axes.add_patch(Rectangle((columns.index(best[across]) - 0.5, rows.index(best[down]) - 0.5), 1, 1, **_FRAME))
    axes.set_xticks(range(len(columns)), [_label(value) for value in columns])
    axes.set_yticks(range(len(rows)), [_label(value) for value in rows])
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label=_SCORE_LABEL, extend="max" if float(scores.max()) > high else "neither")
    return figure


def _draw_panels(table: pd.DataFrame, fields: Sequence[str], scales: Mapping[str, Scale]) -> Figure:
    """Draw a panel a key: each run as a dot at its value, the best as a star."""
    columns = min(2, len(fields))
    rows = math.ceil(len(fields) / columns)
    figure = Figure(figsize=(WIDTH_INCHES, 1.2 + 2.7 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    high = _ceiling(table[SCORE])
    shown = table.assign(height=table[SCORE].clip(upper=high))
    for axes, field in zip(panels, fields, strict=False):
        _draw_panel(axes, shown, field, scales.get(field))
    for axes in panels[:: 1 if columns == 1 else 2]:
        axes.set_ylabel(_SCORE_LABEL)
    for axes in panels[len(fields) :]:
        axes.set_visible(False)
    room = max(0.01, 0.06 * (high - float(table[SCORE].min())))
    panels[0].set_ylim(float(table[SCORE].min()) - room, high + room)
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, field: str, scale: Scale | None) -> None:
    """Draw the runs at their values of a key; one that is worse than the panel is high is a triangle at its top."""
    is_number = pd.api.types.is_numeric_dtype(table[field])
    names = _in_order(table[field])
    places = table[field] if is_number else table[field].map(names.index)
    off, alpha = table[SCORE] > table["height"], 0.75 if len(table) <= 100 else 0.4
    axes.scatter(places[~off], table["height"][~off], alpha=alpha, **_DOT)
    axes.scatter(places[off], table["height"][off], alpha=alpha, marker="^", **_DOT)
    axes.scatter(places[table["best"]], table["height"][table["best"]], **_STAR)
    axes.set_xlabel(field)
    axes.set_axisbelow(True)
    axes.grid(color=FAINT)
    if not is_number:
        axes.set_xticks(range(len(names)), [_label(name) for name in names], rotation=0 if len(names) <= 3 else 20)
        axes.set_xlim(-0.5, len(names) - 0.5)
        return
    axes.set_xscale(scale or ("log" if _spans_orders(names) else "linear"))
    if scale is None and len(names) <= TICKS_MAX:
        axes.set_xticks(names, [_label(value) for value in names])
        axes.minorticks_off()


def _spans_orders(numbers: Sequence[float]) -> bool:
    """Return whether some numbers, in order, are rather told apart by factors than by differences."""
    return numbers[0] > 0 and numbers[-1] >= LOG_FROM_RATIO * numbers[0]


def _ceiling(scores: "pd.Series[float]") -> float:
    """Return the highest score to show: a run that lost its way stands at the edge and leaves the others room."""
    low, middle, high = (float(scores.quantile(share)) for share in (0.0, 0.5, 0.75))
    return min(float(scores.max()), max(high, middle + 3 * (middle - low)))


def _in_order(values: "pd.Series[Any]") -> list[Any]:
    """Return the values that occur: numbers by size, then text by the alphabet."""
    return sorted(values.unique().tolist(), key=lambda value: (isinstance(value, str), value))


def _label(value: Any) -> str:
    """Return a value as an axis names it."""
    return f"{value:g}" if isinstance(value, float) else short_name(str(value), 14)
