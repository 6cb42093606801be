"""Learning curves: the loss of each run while it trained, against tokens read and against time."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.report.figures import MUTED, WIDTH_INCHES, LineEnd, configuration_colours, label_line_ends
from nextchapter.spec.study import configuration_of
from nextchapter.store.events import Event

COLUMNS = ("run", "configuration", "model", "split", "step", "tokens", "seconds", "loss_nats", "smoothed_loss_nats")
POINTS_MAX = 400
"""More points of a curve than this cannot be told apart; every n-th is kept."""
LABELS_MAX = 8
"""Of more lines than this, the best of each family and the best of the others are named, so many in all."""
_RUNS_NOTE = "Thick line with dots: chapters held back (validation). Thin line: training text. Lower is better."
_SEEDS_NOTE = (
    "Thick line with dots: chapters held back (validation), the mean over seeds.\n"
    "Thin lines: each seed. Lower is better."
)


def training_seconds(events: Iterable[Event]) -> list[float]:
    """Return how long a run had been training at each record; the gap before a resumption does not count."""
    seconds: list[float] = []
    previous = inf
    for event in events:
        gap = 0.0 if event["event"] == "resume" else max(0.0, event["time"] - previous)
        seconds.append((seconds[-1] if seconds else 0.0) + gap)
        previous = event["time"]
    return seconds


def learning_curve(events: Sequence[Event], run: str, model: str, seed: int) -> pd.DataFrame:
    """Return the training and validation losses of a run, one a row.

    Args:
        events: the run's event log.
        run: its name.
        model: its model's kind.
        seed: its seed; runs of one configuration differ in it alone.

    Returns:
        The columns `COLUMNS`. The smoothed loss is an exponential moving average over about a fortieth of the run;
        that of validation is the loss itself.
    """
    rows: list[dict[str, Any]] = [
        {"step": event["step"], "tokens": event["tokens"], "seconds": elapsed, "split": event["event"],
         "loss_nats": event["metrics"][f"{event['event']}/loss_nats"]}
        for event, elapsed in zip(events, training_seconds(events), strict=True)
        if event["event"] in ("train", "valid")
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["step", "tokens", "seconds", "split", "loss_nats"])
    configuration = configuration_of(run, seed)
    table = table.assign(run=run, configuration=configuration, model=model, smoothed_loss_nats=table["loss_nats"])
    train = table["split"] == "train"
    span = max(1.0, train.sum() / 40)
    table.loc[train, "smoothed_loss_nats"] = table.loc[train, "loss_nats"].ewm(span=span).mean()
    thinned = [_thin(part) for _, part in table.groupby("split", sort=True)]
    return pd.concat(thinned or [table], ignore_index=True)[list(COLUMNS)]


def _thin(table: pd.DataFrame) -> pd.DataFrame:
    """Keep every n-th row, the last one always."""
    stride = -(-len(table) // POINTS_MAX)
    return table.iloc[::-1].iloc[::stride].iloc[::-1]


def draw_curves(curves: pd.DataFrame) -> Figure:
    """Draw the losses of all configurations: above against training tokens, below against training time.

    Runs that differ in the seed alone share a line, their mean; the line ends where the first of them does.
    """
    figure = Figure(figsize=(WIDTH_INCHES, 7.6), layout="constrained")
    above, below = figure.subplots(2, 1)
    has_seeds = curves["run"].nunique() > curves["configuration"].nunique()
    curves = _without_training_of_seeds(curves)
    if curves.empty:
        above.text(0.5, 0.5, "No run has recorded a loss.", ha="center", transform=above.transAxes, color=MUTED)
    for axes, column, (unit, size) in (
        (above, "tokens", _token_unit(curves["tokens"].max())),
        (below, "seconds", _time_unit(curves["seconds"].max())),
    ):
        scaled = curves.assign(x=curves[column] / size)
        _draw_panel(axes, scaled)
        axes.set_xlabel(f"training {'text read' if column == 'tokens' else 'time'} ({unit})")
        axes.set_ylabel("loss (nats a token)")
    above.set_title("How the loss falls with the text that is read")
    below.set_title("The same, against the clock")
    figure.supxlabel(_SEEDS_NOTE if has_seeds else _RUNS_NOTE, fontsize=9, color=MUTED)
    return figure


def _without_training_of_seeds(curves: pd.DataFrame) -> pd.DataFrame:
    """Leave out the training loss of runs that share a line and were validated: it would hide the seeds."""
    groups = curves.groupby("configuration")
    has_seeds = groups["run"].transform("nunique") > 1
    is_validated = groups["split"].transform(lambda splits: (splits == "valid").any()).astype(bool)
    return curves[~(has_seeds & is_validated & (curves["split"] == "train"))]


def _draw_panel(axes: Axes, curves: pd.DataFrame) -> None:
    lines = {str(name): part for name, part in curves.groupby("configuration", sort=True)}
    named = _named_lines(lines)
    colours = configuration_colours({name: str(lines[name]["model"].iloc[0]) for name in named})
    labels = []
    for name, part in lines.items():
        end = _draw_configuration(axes, part, colours.get(name, MUTED), strong=name in named)
        if name in named:
            is_one_run = part["run"].nunique() == 1
            labels.append(LineEnd(str(part["run"].iloc[0]) if is_one_run else name, colours[name], *end))
    last = float(curves["x"].max()) if len(curves) else 0.0
    axes.set_xlim(0, last * 1.01 or 1)
    axes.set_ylim(*_loss_limits(curves))
    label_line_ends(axes, labels)


def _draw_configuration(axes: Axes, curves: pd.DataFrame, colour: str, strong: bool) -> tuple[float, float]:
    """Draw the runs of a configuration, in the background unless it is a strong one; return where its line ends."""
    valid, train = (curves[curves["split"] == split] for split in ("valid", "train"))
    runs = [part for _, part in (train if valid.empty else valid).groupby("run", sort=True)]
    if len(runs) > 1:
        for run in runs:
            axes.plot(run["x"], run["smoothed_loss_nats"], color=colour, linewidth=0.7, alpha=0.4)
    elif strong or valid.empty:
        axes.plot(train["x"], train["smoothed_loss_nats"], color=colour, linewidth=0.8, alpha=0.45)
    line = _mean_over_seeds(runs)
    if not valid.empty:
        look = {"linewidth": 2.2, "marker": "o", "markersize": 3.6} if strong else {"linewidth": 0.9, "alpha": 0.4}
        axes.plot(line["x"], line["smoothed_loss_nats"], color=colour, zorder=3 if strong else 2, **look)
    return float(line["x"].iloc[-1]), float(line["smoothed_loss_nats"].iloc[-1])


def _mean_over_seeds(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean at the steps that all runs have recorded; where they share none, the first of the runs."""
    together = pd.concat(runs).groupby("step", sort=True)
    means = together[["x", "smoothed_loss_nats"]].mean()[together.size() == len(runs)]
    return runs[0] if means.empty else means


def _named_lines(lines: dict[str, pd.DataFrame]) -> list[str]:
    """Return the configurations to name: all when they are few, else the best of each family and of the others."""
    by_loss = sorted(lines, key=lambda name: (_best_loss(lines[name]), name))
    best = {str(lines[name]["model"].iloc[0]): name for name in reversed(by_loss)}
    others = [name for name in by_loss if name not in best.values()]
    return sorted([*best.values(), *others[: max(0, LABELS_MAX - len(best))]])


def _best_loss(curves: pd.DataFrame) -> float:
    """Return the mean over runs of the lowest loss that each reached."""
    valid = curves[curves["split"] == "valid"]
    return float((valid if len(valid) else curves).groupby("run")["smoothed_loss_nats"].min().mean())


def _loss_limits(curves: pd.DataFrame) -> tuple[float, float]:
    """Return limits of the loss that show where the runs differ: up to the highest loss that one begins or ends with.

    The fall from a uniform guess, before the first validation, and a short relapse may leave the figure at its top;
    so may what is worse than any training's first steps: a validation at which a ReLU network's state grew without end.
    """
    if curves.empty:
        return 0.0, 1.0
    valid = curves[curves["split"] == "valid"]
    by_run = (valid if len(valid) else curves).groupby("run")["smoothed_loss_nats"]
    low, high = float(curves["smoothed_loss_nats"].min()), float(max(by_run.first().max(), by_run.last().max()))
    begins = curves[curves["split"] == "train"].groupby("run")["smoothed_loss_nats"].first()
    high = min(high, float(begins.max())) if len(begins) else high
    room = max(0.05, (high - low) * 0.06)
    return low - room, high + room


def _token_unit(largest: float) -> tuple[str, float]:
    return ("million tokens", 1e6) if largest >= 1e6 else ("thousand tokens", 1e3) if largest >= 1e4 else ("tokens", 1)


def _time_unit(largest_s: float) -> tuple[str, float]:
    return ("hours", 3600) if largest_s >= 3 * 3600 else ("minutes", 60) if largest_s >= 180 else ("seconds", 1)
