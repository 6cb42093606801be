"""Figures of the gradient lab: gradients by lag, step Jacobians, saturated gates, an explosion and clipping."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, PercentFormatter

from nextchapter.report.figures import MUTED, WIDTH_INCHES, configuration_colours, short_name

Record = Mapping[str, Any]

MOMENTS = {"initial": "before training", "trained": "after training"}
SMALLEST_SHARE, LARGEST_SHARE = 1e-6, 1e3
"""Of the gradient at lag 0: what is drawn; a gradient beyond them leaves the picture."""
SMALLEST_STRETCH = 1e-3
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""Lines of one colour differ in their dashes."""
_SHORT = 16
"""Letters of a name of which three stand side by side below a figure."""
_SHUT, _BETWEEN, _OPEN = "#D55E00", "#D9D9E0", "#0072B2"
_BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
"""Keeps words legible that stand across lines."""
_CLIPPED, _PLAIN = "#0072B2", "#D55E00"


def draw_gradients(record: Record) -> Figure:
    """Return the gradient by lag, as a share of that at lag 0: a panel before training, one after it."""
    figure, panels, styles = _two_moments(record)
    for moment, axes in panels.items():
        for entry in record["measured"]:
            norms = np.array(entry[moment]["norms"] if entry.get(moment) else [0], dtype=float)
            if norms[0] > 0:
                shares = np.where(norms > 0, norms, np.nan) / norms[0]
                axes.plot(np.arange(len(norms)), shares, linewidth=1.8, **styles[entry["name"]])
        axes.axhline(record["felt_share"], color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        axes.set(yscale="log", ylim=(SMALLEST_SHARE, _top(axes)), xlim=(0, record["lags"]))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.set_xlabel("lag k: tokens back")
    first = next(iter(panels.values()))
    first.set_ylabel("length of the gradient, share of lag 0")
    first.annotate(
        f"{record['felt_share']:.0%}: below it, forgotten", (record["lags"], record["felt_share"]), (-3, 3),
        textcoords="offset points", ha="right", fontsize=8, color=MUTED, bbox=_BEHIND_TEXT,
    )  # fmt: skip
    return figure


def draw_jacobians(record: Record) -> Figure:
    """Return the singular values of a step from the largest to the smallest, the spectral radius marked at the left."""
    figure, panels, styles = _two_moments(record)
    for moment, axes in panels.items():
        for entry in record["measured"]:
            layers = (entry.get(moment) or {}).get("jacobian")
            if layers:
                values = np.array(layers[-1]["singular_values"], dtype=float)
                shares = np.linspace(0, 1, len(values))
                axes.plot(shares, np.where(values > 0, values, np.nan), linewidth=1.8, **styles[entry["name"]])
                axes.plot(0, layers[-1]["spectral_radius"], marker="D", markersize=6, clip_on=False, zorder=3,
                          color=styles[entry["name"]]["color"], markeredgecolor="white")  # fmt: skip
        axes.axhline(1, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
        axes.set(
            yscale="log", xlim=(0, 1), ylim=(SMALLEST_STRETCH, max(2.0, 1.5 * _highest(record))), xticks=(0, 0.5, 1)
        )
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("directions, most stretched first")
    first = next(iter(panels.values()))
    first.set_ylabel("what a step stretches by")
    first.annotate("1: neither longer nor shorter", (1, 1), (-3, 3), textcoords="offset points", ha="right", fontsize=8,
                   color=MUTED, bbox=_BEHIND_TEXT)  # fmt: skip
    return figure


def draw_gates(record: Record) -> Figure:
    """Return bars of how often each gate is shut, between, and open, before and after training."""
    entries = [entry for entry in record["measured"] if (entry.get("trained") or entry["initial"])["gates"]]
    rows = [(entry, gate) for entry in entries for gate in entry["initial"]["gates"]]
    layout = ConstrainedLayoutEngine(wspace=0.08)
    figure = Figure(figsize=(WIDTH_INCHES, 1.6 + 0.26 * max(len(rows), 3)), layout=layout)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (moment, title) in zip(panels, MOMENTS.items(), strict=True):
        for place, (entry, gate) in enumerate(rows):
            if entry.get(moment):
                _draw_bar(axes, place, **entry[moment]["gates"][gate])
        axes.set(title=title.capitalize(), xlim=(0, 1), xlabel="share of gates", xticks=(0, 0.5, 1))
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="y", visible=False)
    names = [f"{short_name(entry['name'])}: {gate}" for entry, gate in rows]
    panels[0].set_yticks(range(len(rows)), names, fontsize=8.5, parse_math=False)
    panels[0].set_ylim(max(len(rows), 1) - 0.4, -0.6)
    handles = [Line2D([], [], color=colour, linewidth=7, solid_capstyle="butt") for colour in (_SHUT, _BETWEEN, _OPEN)]
    labels = [f"shut, below {record['shut']}", "between", f"open, above {record['open']}"]
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def draw_clipping(record: Record) -> Figure:
    """Return gradient norm and loss of the ReLU network along its training, with clipping and without."""
    clipping = record["clipping"]
    courses = (("plain", _PLAIN, "not clipped"), ("clipped", _CLIPPED, f"clipped at {clipping['clip_norm']:g}"))
    figure = Figure(figsize=(WIDTH_INCHES, 5.2), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, key, label in zip(
        panels, ("gradient_norm", "loss_nats"), ("gradient norm", "loss, nats a token"), strict=True
    ):
        for name, colour, told in courses:
            values = np.array([value if value is not None and value > 0 else np.nan for value in clipping[name][key]])
            axes.plot(np.arange(1, len(values) + 1), values, color=colour, linewidth=1.8, marker=".", markersize=5,
                      label=told)  # fmt: skip
            failed = clipping[name]["failed_at"]
            if failed is not None:
                axes.axvline(failed, color=colour, linewidth=1, linestyle=(0, (1, 2)))
        axes.set(xscale="log", yscale="log", ylabel=label, xlim=(0.9, 1.1 * clipping["steps"]))
        axes.xaxis.set_major_formatter("{x:g}")
    panels[0].set_title("A ReLU network whose gradients explode")
    panels[0].legend(frameon=False, loc="upper right")
    failed = clipping["plain"]["failed_at"]
    if failed is not None:
        panels[1].annotate(f"step {failed}: no number any more", (failed, 0.88), (5, 0), color=_PLAIN, fontsize=9,
                           xycoords=("data", "axes fraction"), textcoords="offset points")  # fmt: skip
    panels[1].set_xlabel("training step")
    return figure


def _two_moments(record: Record) -> tuple[Figure, dict[str, Axes], dict[str, dict[str, Any]]]:
    """Return a figure with a panel before training and one after it, and a line style for each network."""
    styles = line_styles(record["measured"])
    names = [short_name(name) for name in styles]
    columns = 3 if all(len(name) <= _SHORT for name in names) else 2
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(WIDTH_INCHES, 4.1 + 0.2 * rows), layout=ConstrainedLayoutEngine(wspace=0.08))
    panels = dict(zip(MOMENTS, figure.subplots(1, 2, sharey=True), strict=True))
    for moment, axes in panels.items():
        axes.set_title(MOMENTS[moment].capitalize())
    if not any(entry.get("trained") for entry in record["measured"]):
        after = panels["trained"]
        after.text(
            0.5, 0.5, "No recurrent network\nwas trained here.", transform=after.transAxes, ha="center", color=MUTED
        )
    handles = [Line2D([], [], linewidth=1.8, **style) for style in styles.values()]
    figure.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False, fontsize=9, handlelength=3)
    return figure, panels, styles


def line_styles(measured: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return colour and dashes of each network: seeds of one configuration share them, kinds differ in colour."""
    kinds = {entry["configuration"]: entry["kind"] for entry in measured}
    colours = configuration_colours(kinds)
    styles: dict[str, dict[str, Any]] = {}
    numbers = {configuration: place for place, configuration in enumerate(kinds)}
    for entry in measured:
        configuration = entry["configuration"]
        dashes = _DASHES[numbers[configuration] % len(_DASHES)]
        styles[entry["name"]] = {"color": colours[configuration], "linestyle": dashes}
    return styles


def _top(axes: Axes) -> float:
    """Return the upper end of a logarithmic axis of shares: 2, or what an exploding gradient needs up to a limit."""
    highest = max((float(np.nanmax(line.get_ydata())) for line in axes.lines), default=1.0)
    return min(max(2.0, 1.5 * highest), LARGEST_SHARE)


def _highest(record: Record) -> float:
    """Return the largest singular value that the figure of Jacobians shows, both panels together."""
    measured = [entry[moment] for entry in record["measured"] for moment in MOMENTS if entry.get(moment)]
    shown = [account["jacobian"][-1]["largest_singular_value"] for account in measured if account["jacobian"]]
    return max((value for value in shown if value is not None), default=1.0)


def _draw_bar(axes: Axes, place: int, shut: float, open: float) -> None:  # noqa: A002 - as the record says it
    between = 1 - shut - open
    axes.barh(place, shut, color=_SHUT, height=0.7)
    axes.barh(place, between, left=shut, color=_BETWEEN, height=0.7)
    axes.barh(place, open, left=shut + between, color=_OPEN, height=0.7)
