"""What networks make of more data: scores and cost against the share of the training chapters, and cost against states.

Runs are of one network if they differ in the share and in the seed alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from nextchapter.report.figures import INK, MUTED, WIDTH_INCHES, LineEnd, configuration_colours, label_line_ends
from nextchapter.report.leaderboard import pair_records
from nextchapter.spec.base import canonical_json
from nextchapter.spec.study import configuration_of

SCORE = "test_bits_per_character"
TICKS_MAX = 8
"""So many shares of the chapters are named below an axis; more would touch each other."""
_NOTE = (
    "Fewer bits are better. Band: the 95 % interval, by which chapters were tested. All networks\n"
    "were tested on the same ones, so all bands would move together."
)
_SCORE_LABEL = "bits a character,\nunread chapters"


def data_size_table(provenance: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the runs that tell what data or states are worth, one a row, by network and share.

    These are the runs of networks that were trained on several shares of the chapters, and those on all chapters of
    hidden Markov models that differ in the number of states. `network` names what runs on several shares have in
    common, `family` what runs with several numbers of states have; each is empty for the others.

    Args:
        provenance: the runs' `run.json`.
        metrics: their `metrics.json`, in the same order.

    Raises:
        ValueError: there is no run, or the two lists are not of the same runs.
    """
    table = pd.DataFrame([_row(*pair) for pair in pair_records(provenance, metrics)])
    table = table.astype(dict.fromkeys(("states", "ci_low", "ci_high"), float))  # each may be missing throughout
    has_shares = table.groupby("network")["train_share"].transform("nunique") > 1
    is_whole = table["train_share"] == 1
    has_states = table[is_whole].groupby("family")["states"].transform("nunique") > 1
    has_states = has_states.reindex(table.index, fill_value=False)
    table["network"] = table["network"].map(_names(table[has_shares], "network", "search")).where(has_shares, "")
    table["family"] = table["family"].map(_names(table[has_states], "family", "model")).where(has_states, "")
    return table[has_shares | has_states].sort_values(["model", "network", "states", "train_share", "seed"])


def _row(run: Mapping[str, Any], scores: Mapping[str, Any]) -> dict[str, Any]:
    valid, test = scores["splits"]["valid"], scores["splits"]["test"]
    rest = {key: run.get(key) for key in ("tokenizer", "embedding", "training", "members")}
    sizeless = {key: value for key, value in run["model"].items() if key != "states"}
    return {
        "network": canonical_json({**rest, "model": run["model"]}),
        "family": canonical_json({**rest, "model": sizeless}),
        "run": run["run"],
        "model": run["model"]["kind"],
        "states": run["model"].get("states"),
        "search": run.get("search", {}).get("name", ""),
        "seed": run["seed"],
        "tokenizer": run["tokenizer"],
        "train_share": run.get("train_share", 1.0),
        "train_chapters": run["train_chapters"],
        "train_tokens": run["train_tokens"],
        "tokens_read": run["tokens"],
        "train_seconds": run["train_seconds"],
        "parameters": run["parameters"],
        "valid_bits_per_character": valid["bits_per_character"],
        SCORE: test["bits_per_character"],
        "ci_low": test["ci_low"],
        "ci_high": test["ci_high"],
    }


def _names(runs: pd.DataFrame, column: str, tag: str) -> dict[str, str]:
    """Return what to call the lines in a column: by another column if no other line has that value, else by a run."""
    largest = runs.sort_values(["train_share", "states", "run"]).drop_duplicates(column, keep="last")
    tags = Counter(largest[tag])
    return {
        row[column]: row[tag] if row[tag] and tags[row[tag]] == 1 else configuration_of(row["run"], row["seed"])
        for row in largest.to_dict("records")
    }


def draw_data_size(table: pd.DataFrame) -> Figure:
    """Draw score and cost against the data, a line a network, and score against cost where numbers of states differ.

    Args:
        table: as `data_size_table` returns it, with at least one network on several shares.
    """
    has_states = bool((table["family"] != "").any())
    figure = Figure(figsize=(WIDTH_INCHES, 10.6 if has_states else 7.4), layout="constrained")
    panels = figure.subplots(3 if has_states else 2, 1)
    networks = _points(table[table["network"] != ""], "network")
    colours = configuration_colours({name: str(points["model"].iloc[0]) for name, points in networks.items()})
    _draw_lines(panels[0], networks, colours, SCORE)
    panels[0].set(title="What more text is worth", ylabel=_SCORE_LABEL)
    _draw_lines(panels[1], networks, colours, "train_seconds")
    panels[1].set(title="What it costs", ylabel="training (seconds)")
    if has_states:
        _draw_states(panels[2], _points(table[table["family"] != ""], "family"), networks, colours)
    figure.supxlabel(_NOTE, fontsize=9, color=MUTED)
    return figure


def _points(runs: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """Return the points of each line, by a column that names it: the means over seeds, in order of size."""
    sizes = ["train_share", "states"]
    numbers = ["train_tokens", "train_seconds", SCORE, "ci_low", "ci_high"]
    means = runs.groupby([column, "model", "tokenizer", *sizes], dropna=False)[numbers].mean().reset_index()
    return {str(name): points.sort_values(sizes) for name, points in means.groupby(column)}


def _draw_lines(axes: Axes, networks: Mapping[str, pd.DataFrame], colours: Mapping[str, str], column: str) -> None:
    """Draw one column against the tokens of the chapters that were read."""
    for name, points in networks.items():
        axes.plot(points["train_tokens"], points[column], color=colours[name], marker="o", markersize=4, linewidth=1.8)
        if column == SCORE:
            axes.fill_between(
                points["train_tokens"],
                points["ci_low"],
                points["ci_high"],
                color=colours[name],
                alpha=0.15,
                linewidth=0,
            )
    axes.set_xscale("log")
    if column == "train_seconds":
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    _mark_shares(axes, pd.concat(networks.values()))
    ends = [
        LineEnd(name, colours[name], *points[["train_tokens", column]].iloc[-1]) for name, points in networks.items()
    ]
    label_line_ends(axes, ends, gap=0.075)


def _mark_shares(axes: Axes, points: pd.DataFrame) -> None:
    """Name the sizes below an axis: by share and tokens where the shares are few and a token is the same for all."""
    axes.set_xlabel("training text (tokens)")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    tokens = points.groupby("train_share")["train_tokens"].mean()
    if points["tokenizer"].nunique() == 1 and len(tokens) <= TICKS_MAX:
        names = [f"{_fraction(share)}\n{_plain(size)}" for share, size in zip(tokens.index, tokens, strict=True)]
        axes.set_xticks(list(tokens), names)
        axes.minorticks_off()
        axes.set_xlabel("share of the training chapters, and its tokens")


def _fraction(share: float) -> str:
    return "all" if share == 1 else str(Fraction(share).limit_denominator(1000))


def _plain(number: float, _: int = 0) -> str:
    """Return a number as a person writes it, with three figures."""
    return f"{float(f'{number:.3g}'):,.10g}"


def _draw_states(
    axes: Axes,
    families: Mapping[str, pd.DataFrame],
    networks: Mapping[str, pd.DataFrame],
    colours: Mapping[str, str],
) -> None:
    """Draw the score against the cost for each number of states, and the other networks with all their data beside."""
    ends = []
    own = configuration_colours({name: str(points["model"].iloc[0]) for name, points in families.items()})
    for name, points in families.items():
        axes.plot(points["train_seconds"], points[SCORE], color=own[name], marker="o", markersize=5, linewidth=1.8)
        for _, point in points.iterrows():
            place = point["train_seconds"], point[SCORE]
            axes.annotate(
                f"{point['states']:,.0f}", place, (-5, -4), textcoords="offset points",
                ha="right", va="top", color=INK, fontsize=9,
            )  # fmt: skip
        ends.append(LineEnd(f"{name}, by states", own[name], *points[["train_seconds", SCORE]].iloc[-1]))
    drawn = {str(points["model"].iloc[0]) for points in families.values()}
    for name, points in networks.items():
        if points["model"].iloc[0] not in drawn:
            x, y = points[["train_seconds", SCORE]].iloc[-1]
            axes.plot(x, y, color=colours[name], marker="D", markersize=6, linestyle="")
            ends.append(LineEnd(name, colours[name], x, y))
    axes.set(title="Hidden Markov models: the price of more states", ylabel=_SCORE_LABEL, xscale="log")
    axes.set_xlabel("training on all chapters (seconds)\nnumbers: hidden states; diamonds: the other networks")
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(y=0.12)
    label_line_ends(axes, ends, gap=0.075)
