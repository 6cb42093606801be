"""Figures of a network's hidden state along a text: its most telling units, and its path through a sentence."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from nextchapter.diagnostics.neurons import HELD_TOKENS, Plane, Units
from nextchapter.report.figures import FAINT, INK, MUTED, WIDTH_INCHES
from nextchapter.report.labels import DOT_POINTS, LABEL_POINTS, place_labels
from nextchapter.report.predictions import shown

MOST_TOKENS = 60


def draw_neurons(activations: np.ndarray, units: Units, texts: Sequence[str]) -> Figure:
    """Return heat maps of the chosen units over the words of a passage, each in shares of its own largest value.

    Args:
        activations: h_t after each token [token hidden].
        units: which are shown.
        texts: of each token; the first `MOST_TOKENS` are drawn.
    """
    values, words = activations[:MOST_TOKENS], _words(texts[:MOST_TOKENS])
    groups = [
        (units.holding, f"Units that hold: most like themselves over {HELD_TOKENS} tokens"),
        (units.swinging, "Units that swing: those whose value varies most"),
    ]
    drawn = [(numbers, title) for numbers, title in groups if numbers]
    figure = Figure(figsize=(WIDTH_INCHES, max(4.0, 2.0 + sum(0.21 * len(numbers) + 0.35 for numbers, _ in drawn))))
    figure.set_layout_engine("constrained")
    if not drawn:
        figure.text(0.5, 0.5, "No unit of this network changes along the passage.", ha="center", color=MUTED)
        return figure
    heights = [len(numbers) for numbers, _ in drawn]
    panels = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights, sharex=True)[:, 0]
    for axes, (numbers, title) in zip(panels, drawn, strict=True):
        image = _draw_units(axes, values, numbers)
        axes.set_title(title, fontsize=11)
    panels[-1].set_xticks(range(len(words)), words, rotation=90, fontsize=7, parse_math=False)
    bar = figure.colorbar(image, ax=list(panels), shrink=0.6, aspect=25, pad=0.01)
    bar.set_label("activation, share of the unit's largest", fontsize=9)
    return figure


def _draw_units(axes: Axes, values: np.ndarray, numbers: Sequence[int]) -> AxesImage:
    rows = values[:, numbers].T
    rows = rows / np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(float).tiny)
    image = axes.imshow(rows, aspect="auto", cmap="PuOr", vmin=-1, vmax=1, interpolation="nearest")
    axes.set_yticks(range(len(numbers)), [f"unit {number}" for number in numbers], fontsize=7.5)
    axes.grid(visible=False)
    axes.tick_params(axis="x", length=0)
    return image


def draw_path(plane: Plane, states: np.ndarray, length: int, texts: Sequence[str]) -> Figure:
    """Return the way of the state through the first tokens of a text, over the cloud of all its states.

    Args:
        plane: the principal components of the states.
        states: h_t after each token of the text [token hidden].
        length: tokens of the path.
        texts: of each token.
    """
    figure = Figure(figsize=(WIDTH_INCHES, WIDTH_INCHES * 0.82))
    axes = figure.add_axes((0.05, 0.12, 0.93, 0.81))
    width, height = 0.93 * 72 * WIDTH_INCHES, 0.81 * 72 * WIDTH_INCHES * 0.82
    places = _fit(plane.project(states), length)
    axes.set(xlim=(0, width), ylim=(0, height), xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.plot(*(places * (width, height)).T, linestyle="", marker="o", markersize=2, color=FAINT)
    path = places[:length] * (width, height)
    colours = colormaps["viridis"](np.linspace(0, 0.85, length))
    for start, stop, colour in zip(path[:-1], path[1:], colours[1:], strict=True):
        arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.1, "shrinkA": 1, "shrinkB": 1}
        axes.annotate("", stop, start, arrowprops=arrow)
    axes.scatter(path[:, 0], path[:, 1], s=(3 * DOT_POINTS) ** 2, color=colours, zorder=3)
    words = [f"{number} {word}" for number, word in enumerate(_words(texts[:length]), start=1)]
    behind = {"boxstyle": "square,pad=0.05", "fc": "white", "ec": "none", "alpha": 0.7}
    for word, box in place_labels(places[:length], words, width, height):
        centre = ((box.left + box.right) / 2, (box.bottom + box.top) / 2)
        axes.text(*centre, words[word], fontsize=LABEL_POINTS, ha="center", va="center", color=INK, parse_math=False,
                  bbox=behind)  # fmt: skip
    axes.set_title("The way of the state through a sentence")
    axes.set_xlabel(f"first principal component, {plane.shares[0]:.0%} of the variance")
    axes.set_ylabel(f"second, {plane.shares[1]:.0%}")
    figure.text(0.05, 0.02, f"Grey: the states after {len(states)} tokens. Numbers: the order of the words.",
                fontsize=8.5, color=MUTED)  # fmt: skip
    return figure


def _words(texts: Sequence[str]) -> list[str]:
    """Return tokens as a reader sees them, those that go on with a word marked."""
    return [shown(text, before) for before, text in pairwise(["", *texts])]


def _fit(places: np.ndarray, length: int) -> np.ndarray:
    """Return places scaled to between 0 and 1: all of the path inside, and of the cloud all but its outermost."""
    path = places[:length]
    low = np.minimum(np.quantile(places, 0.02, axis=0), path.min(axis=0))
    high = np.maximum(np.quantile(places, 0.98, axis=0), path.max(axis=0))
    return np.asarray(0.06 + 0.88 * (places - low) / np.maximum(high - low, 1e-12))
