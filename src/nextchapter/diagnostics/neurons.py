"""What the units of a recurrent network do along a text: the most telling ones, and the path of the whole state.

After Karpathy, Johnson and Li (2015), who found units in an LSTM that follow quotes, brackets and the length of a line.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from nextchapter.corpus.sentences import ENDS
from nextchapter.models.protocol import HiddenLanguageModel

HELD_TOKENS = 8
"""A unit that holds something resembles itself over so many tokens."""
SENTENCE_TOKENS = range(6, 25)
"""Fewest and most tokens of a path that can be followed by eye."""
_SENTENCE_END = re.compile(rf"[{ENDS}]\W*$")


class Units(NamedTuple):
    """The units to show, by number."""

    holding: list[int]
    """Those that resemble themselves most over the next `HELD_TOKENS` tokens."""
    swinging: list[int]
    """Of the others, those whose value varies most."""


class Plane(NamedTuple):
    """The plane in which states vary most: their principal components (Pearson, 1901)."""

    mean: np.ndarray
    axes: np.ndarray
    """Two directions of length 1 [axis hidden]; 0 where the states vary in fewer."""
    shares: np.ndarray
    """Of the variance along each [axis]."""

    def project(self, states: np.ndarray) -> np.ndarray:
        """Return where states lie in the plane [token axis]."""
        return np.asarray((states - self.mean) @ self.axes.T)


@torch.no_grad()
def read_units(model: HiddenLanguageModel, tokens: np.ndarray, end_of_chapter: int) -> np.ndarray:
    """Return h_t of the last layer after each token of a text that begins a chapter, float64 [token hidden]."""
    begun = np.concatenate([[end_of_chapter], tokens]).astype(np.int64)
    hidden, _ = model.read(torch.from_numpy(begun)[None], model.initial_state(1))
    return np.asarray(hidden[0, 1:].double())


def choose_units(activations: np.ndarray, count: int) -> Units:
    """Return the most telling units, half of them by each rule; units that hardly move hold nothing.

    Args:
        activations: over a text [token hidden].
        count: units in all, if there are as many.
    """
    deviations = activations.std(axis=0)
    moving = deviations > 0
    candidates = np.flatnonzero(moving & (deviations >= np.median(deviations)))
    held = _mean_autocorrelation(activations[:, candidates])
    holding = candidates[np.argsort(-held, kind="stable")][: count // 2].tolist()
    by_swing = np.argsort(-deviations, kind="stable")
    swinging = [unit for unit in by_swing.tolist() if moving[unit] and unit not in holding][: count - len(holding)]
    return Units(holding, swinging)


def principal_plane(states: np.ndarray) -> Plane:
    """Return the plane of the two principal components of some states [token hidden]; signs are chosen, not left."""
    mean = states.mean(axis=0)
    _, lengths, directions = np.linalg.svd(states - mean, full_matrices=False)
    total = max(float((lengths**2).sum()), np.finfo(float).tiny)
    axes, shares = np.zeros((2, states.shape[1])), np.zeros(2)
    for place in range(min(2, len(lengths))):
        direction = directions[place]
        axes[place] = direction * np.sign(direction[np.abs(direction).argmax()])
        shares[place] = lengths[place] ** 2 / total
    return Plane(mean, axes, shares)


def first_sentence(texts: Sequence[str]) -> int:
    """Return how many tokens the first sentence of a passage has, if that can be told; else the most that are shown.

    Args:
        texts: of each token, white space included.
    """
    fewest, most = SENTENCE_TOKENS.start, SENTENCE_TOKENS.stop - 1
    ends = (place for place, text in enumerate(texts[:most], start=1) if place >= fewest and _SENTENCE_END.search(text))
    return next(ends, min(most, len(texts)))


def _mean_autocorrelation(activations: np.ndarray) -> np.ndarray:
    """Return how each column correlates with itself 1 to `HELD_TOKENS` rows later, on average.

    The mean, because a unit that flips at each token is like itself at every second one.
    """
    centred = activations - activations.mean(axis=0)
    products = [(centred[:-lag] * centred[lag:]).sum(axis=0) for lag in range(1, HELD_TOKENS + 1)]
    return np.asarray(np.mean(products, axis=0) / np.maximum((centred**2).sum(axis=0), np.finfo(float).tiny))
