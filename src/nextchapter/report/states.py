"""Figures of the states of a hidden Markov model: a passage coloured by them, where they lead, what is believed."""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.report.figures import INK, MUTED, WIDTH_INCHES
from nextchapter.report.predictions import shown

MOST_STATES = 24
MOST_TOKENS = 60
_COLOURS = (
    "#f6c28b", "#a9d6f5", "#b5e3b0", "#f4b6c2", "#d5c3ee", "#f3e79b", "#9fdcd3", "#e0b99a", "#c9d9ef", "#d9e8a3",
)  # fmt: skip
"""Light enough that black letters stand out on them; the states beyond them share the grey."""
_OTHER = "#ececf0"
_LINE, _GAP, _MARGIN, _DIGIT = 0.36, 0.06, 0.12, 0.05
_LEGEND_LINE, _TITLE = 0.21, 0.34
"""Inches: lines of the passage, between words, at the edges, a digit below a word; lines of the legend, a title."""


def draw_states(
    texts: Sequence[str], path: Sequence[int], names: Mapping[int, str], transition: np.ndarray, top: Sequence[int]
) -> Figure:
    """Return the figure of a passage, each token in the colour of its state, above the transitions of the top states.

    Args:
        texts: of each token, white space included.
        path: the state of each token.
        names: of the states, for instance the tokens that they emit most.
        transition: p(next state | state) among the top states [state state].
        top: numbers of these states.
    """
    legend = [state for state, _ in Counter(path).most_common(len(_COLOURS))]
    colours = dict(zip(legend, _COLOURS, strict=False))
    figure = Figure(figsize=(WIDTH_INCHES, 10))
    words = figure.add_axes((0, 0, 1, 1))
    depth = _flow(words, texts, path, colours) + 0.12
    for state in legend:
        label = f"{state}: {names[state]}" if state in names else str(state)
        box = {"boxstyle": "square,pad=0.12", "fc": colours[state], "ec": "none"}
        words.text(_MARGIN + 0.04, -depth, _clip(label, 72), fontsize=9, va="top", bbox=box, parse_math=False)
        depth += _LEGEND_LINE
    rest = f"Grey: the {len(set(path)) - len(legend)} other states here. Small numbers: which state."
    words.text(_MARGIN, -depth - 0.04, rest, fontsize=8.5, va="top", color=MUTED)
    depth += 0.4
    words.text(_MARGIN, -depth, "Where the most frequent states lead, per cent", va="top", weight="bold", fontsize=12.5)
    depth += _TITLE
    side = 0.22 * len(top)
    height = depth + side + 0.7
    figure.set_size_inches(WIDTH_INCHES, height)
    words.set(xlim=(0, WIDTH_INCHES), ylim=(-height, 0))
    words.axis("off")
    heat = figure.add_axes((2.75 / WIDTH_INCHES, 0.62 / height, 3.5 / WIDTH_INCHES, side / height))
    _draw_transitions(heat, transition, [_clip(f"{state}: {names[state]}", 34) for state in top], top)
    return figure


def _flow(axes: Axes, texts: Sequence[str], path: Sequence[int], colours: Mapping[int, str]) -> float:
    """Write a passage as lines of boxes, a state's number below each; return the depth that it takes, in inches."""
    axes.text(_MARGIN, -0.1, "A passage, each word in the colour of its state", va="top", weight="bold", fontsize=12.5)
    x, y = _MARGIN, _TITLE + 0.1
    for text, state in zip(texts, path, strict=True):
        word = shown(text.replace("\n", "") if text.strip() else text, "")
        x += _GAP if text[:1].isspace() else 0.01
        box = {"boxstyle": "square,pad=0.08", "fc": colours.get(state, _OTHER), "ec": "none"}
        drawn = axes.text(x, -y, word, fontsize=10, va="top", bbox=box, parse_math=False)
        width = drawn.get_window_extent().width / axes.figure.dpi
        if x + width > WIDTH_INCHES - _MARGIN and x > _MARGIN + _GAP:
            x, y = _MARGIN, y + _LINE
            drawn.set_position((x, -y))
        if _DIGIT * len(str(state)) < width + 0.05:  # else it would run into the number beside it
            axes.text(x + width / 2, -y - 0.185, str(state), fontsize=5.5, ha="center", va="top", color=MUTED)
        x += max(width, 0.05) + 0.04
        if "\n" in text:
            x, y = _MARGIN, y + _LINE
    return y + _LINE


def _draw_transitions(axes: Axes, transition: np.ndarray, names: Sequence[str], top: Sequence[int]) -> None:
    axes.imshow(transition, cmap="Blues", vmin=0, vmax=max(float(transition.max()), 1e-9), interpolation="nearest")
    axes.set_aspect("auto")
    for row, column in zip(*np.nonzero(transition >= 0.1), strict=True):
        share = transition[row, column]
        dark = share > 0.6 * transition.max()
        axes.text(
            column, row, f"{share:.0%}"[:-1], ha="center", va="center", fontsize=6, color="white" if dark else INK
        )
    axes.set_yticks(range(len(top)), names, fontsize=7.5, parse_math=False)
    axes.set_xticks(range(len(top)), [str(state) for state in top], fontsize=7, rotation=90)
    axes.set_xlabel("next state", fontsize=9)
    axes.grid(visible=False)


def draw_posteriors(posterior: np.ndarray, path: np.ndarray, texts: Sequence[str], names: Mapping[int, str]) -> Figure:
    """Return the heat map of p(state | passage), the Viterbi path marked on it.

    The states are those with most probability over the passage, in the order in which the path meets them.

    Args:
        posterior: p(state at each token | passage) [time state].
        path: the Viterbi label of each token [time].
        texts: of each token of the passage; the first `MOST_TOKENS` are drawn.
        names: of the states, for instance the tokens that they emit most.
    """
    posterior, path, texts = posterior[:MOST_TOKENS], path[:MOST_TOKENS], texts[:MOST_TOKENS]
    chosen = np.argsort(-posterior.sum(axis=0), kind="stable")[:MOST_STATES]
    met = {int(state): time for time, state in reversed(list(enumerate(path)))}
    order = sorted(chosen.tolist(), key=lambda state: (met.get(state, len(path)), state))
    figure = Figure(figsize=(WIDTH_INCHES, 1.3 + 0.19 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(posterior[:, order].T, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    marked = [(time, order.index(int(state))) for time, state in enumerate(path) if int(state) in order]
    axes.plot(*zip(*marked, strict=True), linestyle="none", marker=".", markersize=3, color=INK)
    labels = [_clip(f"{state}: {names[state]}" if state in names else str(state), 30) for state in order]
    axes.set_yticks(range(len(order)), labels, fontsize=7, parse_math=False)
    words = [shown(text, "") for text in texts]
    axes.set_xticks(range(len(texts)), words, rotation=90, fontsize=7, parse_math=False)
    axes.set_title("What the model believes along the passage")
    axes.set_xlabel("shade: p(state | passage); dots: the most probable path", fontsize=9)
    axes.grid(visible=False)
    return figure


def _clip(text: str, most: int) -> str:
    """Return a text cut to a width; letters of East Asia are as wide as two others."""
    room, kept = most, ""
    for letter in text:
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return f"{kept[:-1]}…"
        kept += letter
    return kept
