"""The figure of a passage as a hidden Markov model reads it: which states it believes itself in, token by token."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from nextchapter.report.figures import INK, WIDTH_INCHES

MOST_STATES = 24


def draw_posteriors(posterior: np.ndarray, path: np.ndarray, tokens: Sequence[str], names: Sequence[str]) -> Figure:
    """Return the heat map of p(state | passage), the Viterbi path marked on it.

    The states are those with most probability over the passage, in the order in which the path meets them.

    Args:
        posterior: p(state at each token | passage) [time state].
        path: the Viterbi label of each token [time].
        tokens: text of each token of the passage.
        names: of all states, for instance the tokens that they emit most.
    """
    chosen = np.argsort(-posterior.sum(axis=0), kind="stable")[:MOST_STATES]
    met = {int(state): time for time, state in reversed(list(enumerate(path)))}
    order = sorted(chosen.tolist(), key=lambda state: (met.get(state, len(path)), state))
    figure = Figure(figsize=(WIDTH_INCHES, 1.2 + 0.19 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(posterior[:, order].T, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    marked = [(time, order.index(int(state))) for time, state in enumerate(path) if int(state) in order]
    axes.plot(*zip(*marked, strict=True), linestyle="none", marker=".", markersize=3, color=INK)
    axes.set_yticks(range(len(order)), [names[state] for state in order], fontsize=7)
    axes.set_xticks(range(len(tokens)), [token.strip() or "␣" for token in tokens], rotation=90, fontsize=7)
    axes.set_title("States along a passage")
    axes.set_xlabel("shade: p(state | passage); dots: the most probable path", fontsize=9)
    axes.grid(visible=False)
    return figure
