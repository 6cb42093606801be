"""Dropout, by values or locked: the same mask at all steps of a batch (Gal and Ghahramani, 2016, arXiv 1512.05287).

    y_t = m * x_t / (1 - p),  m ~ Bernoulli(1 - p)     locked: one m a sequence; else one a sequence and step

A mask that stays leaves the recurrence one network for the whole sequence, instead of noise that changes each step.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def drop(
    values: Float[Tensor, "batch time width"], rate: float, training: bool, locked: bool
) -> Float[Tensor, "batch time width"]:
    """Drop a share of values while training, by torch's global generator, which the trainer seeds at each step."""
    if not (locked and training and rate):
        return functional.dropout(values, rate, training)
    mask = values.new_empty(values.shape[0], 1, values.shape[2]).bernoulli_(1 - rate).div_(1 - rate)
    return values * mask
