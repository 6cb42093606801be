"""Calibration: whether what a model gives a probability of 30 % comes true 30 times in 100."""

from typing import NamedTuple

import numpy as np

BINS = 15
"""Bins of equal width from 0 to 1, as Guo et al. (2017) have them."""


class Reliability(NamedTuple):
    """What came true of what a model held likeliest, by how likely it held it; bins without a token are left out."""

    low: np.ndarray
    """Lower end of each bin; the upper one, which belongs to it, is 1 / BINS higher, float64 [bin]."""
    tokens: np.ndarray
    """How many tokens fell into it, int64 [bin]."""
    confidence: np.ndarray
    """Mean of the likeliest tokens' probabilities, float64 [bin]."""
    accuracy: np.ndarray
    """Share of them that came true, float64 [bin]."""


def reliability(confidence: np.ndarray, is_right: np.ndarray) -> Reliability:
    """Return the reliability curve of a model's likeliest tokens (Guo et al., 2017, section 2).

    Args:
        confidence: p of the likeliest token [token].
        is_right: whether it came [token].
    """
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    tokens = np.bincount(bins, minlength=BINS)
    filled = np.flatnonzero(tokens)
    sums = (np.bincount(bins, weights=values, minlength=BINS)[filled] for values in (confidence, is_right))
    mean_confidence, accuracy = (total / tokens[filled] for total in sums)
    return Reliability(filled / BINS, tokens[filled], mean_confidence, accuracy)


def expected_calibration_error(curve: Reliability) -> float:
    """Return the mean distance between confidence and accuracy, each bin by its tokens (Guo et al., 2017, eq. 3)."""
    return float(np.average(np.abs(curve.accuracy - curve.confidence), weights=curve.tokens))
