"""How far back a loss is felt: the gradient of one loss by the states before it, its decay, and how far it reaches.

    |dL_t/ds_{t-k}|,   L_t = -ln p(x_{t+1} | h_t),   k = 0, 1, 2, ...

s is all that a network carries from step to step: h, for an LSTM (h, c), of all layers together. By the chain rule

    dL_t/ds_{t-k} = dL_t/dh_t dh_t/ds_{t-1} ds_{t-1}/ds_{t-2} ... ds_{t-k+1}/ds_{t-k},

a product of k step Jacobians, which shrinks or grows geometrically (Hochreiter, 1991; Bengio et al., 1994, eq. 12;
Pascanu et al., 2013, eqs. 5 to 7). Computed in double precision: in single precision a gradient that falls by ten at
each step is gone after 38.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nextchapter.models.protocol import State, map_state
from nextchapter.models.recurrent import RecurrentLanguageModel

FELT_SHARE = 0.01
"""Of the gradient at lag 0: what is smaller counts as forgotten."""
WARM_UP_TOKENS = 32
"""Read before the first state that a gradient is taken by, so that h_0 = 0 is forgotten."""


class LagGradients(NamedTuple):
    """Lengths of the gradients of one loss a window, by lag."""

    state: Float[Tensor, "lag window"]
    """|dL_t/ds_{t-k}|, in nats a unit of state."""
    hidden: Float[Tensor, "lag window"]
    """|dL_t/dh_{t-k}| alone, with what else the state holds kept fixed: the same, where h is all of the state."""


class Decay(NamedTuple):
    """A geometric law, |dL_t/ds_{t-k}| = a factor^k, fitted by least squares in the logarithm to lags from 1 on."""

    factor: float
    """What one step back multiplies the gradient by."""
    r_squared: float
    """Share of the variance of the logarithm that the law explains: 1 where the decay is geometric."""


def cut_windows(tokens: np.ndarray, count: int, lags: int) -> Int[Tensor, "window time"]:
    """Return windows of warm-up, `lags` tokens and a target, evenly spaced over a text.

    A text shorter than one window is read over again.

    Args:
        tokens: the text, at least one token.
        count: number of windows; two may overlap.
        lags: tokens between the first state of interest and the last.
    """
    length = WARM_UP_TOKENS + lags + 1
    text = np.resize(tokens, max(length, len(tokens))).astype(np.int64)
    starts = np.linspace(0, len(text) - length, count).astype(np.int64)
    return torch.from_numpy(text[starts[:, None] + np.arange(length)])


def gradients_by_lag(model: RecurrentLanguageModel, windows: Int[Tensor, "window time"], lags: int) -> LagGradients:
    """Return the length of the gradient of the loss at the end of each window by the states up to `lags` steps before.

    Args:
        model: in double precision, dropout switched off.
        windows: tokens; the last one is the target, and `lags` + 1 states stand before it.
        lags: largest k.
    """
    states = [_start(model, windows[:, : -lags - 1])]
    hidden = torch.empty(0)
    for token in windows[:, -lags - 1 : -1].T:
        hidden, after = model.read(token[:, None], states[-1])
        # Views: the path to the loss through later steps alone, and not that through the layers above at this step.
        states.append(map_state(lambda part: part.view_as(part), after))
    loss = model.cross_entropy(hidden, windows[:, -1:]).sum()
    before = [part for state in states[:-1] for part in _tensors(state)]
    found = torch.autograd.grad(loss, [hidden, *before], allow_unused=True, materialize_grads=True)
    squares = torch.stack([part.flatten(1).square().sum(dim=1) for part in found])  # [1 + time part, window]
    at_lag_0, earlier = squares[:1], squares[1:].view(lags, -1, len(windows)).flip(0)  # [lag part window]
    return LagGradients(
        torch.cat([at_lag_0, earlier.sum(dim=1)]).sqrt(),
        torch.cat([at_lag_0, earlier[:, _places_of_hidden(states[0])].sum(dim=1)]).sqrt(),
    )


def fit_decay(norms: Float[Tensor, " lag"]) -> Decay | None:
    """Return the geometric law of a gradient by lag; None where fewer than three lags have any."""
    lags = torch.arange(len(norms), dtype=norms.dtype)
    there = (lags > 0) & (norms > 0) & norms.isfinite()
    if there.sum() < 3:
        return None
    x, y = lags[there], norms[there].log()
    x, y = x - x.mean(), y - y.mean()
    slope = (x @ y) / (x @ x)
    total = float(y @ y)
    unexplained = float((y - slope * x).square().sum())
    return Decay(math.exp(float(slope)), 1 - unexplained / total if total > 0 else 1.0)


def effective_memory(norms: Float[Tensor, " lag"]) -> int | None:
    """Return the lag from which on the gradient stays below `FELT_SHARE` of that at lag 0; None if it never does."""
    felt = torch.nonzero(norms >= FELT_SHARE * norms[0])[:, 0] if norms[0] > 0 else torch.zeros(0)
    beyond = int(felt[-1]) + 1 if len(felt) else 0
    return beyond if beyond < len(norms) else None


@torch.no_grad()
def _start(model: RecurrentLanguageModel, tokens: Int[Tensor, "window time"]) -> State:
    """Return the state after some tokens, as what gradients are taken by."""
    _, state = model.read(tokens, model.initial_state(len(tokens)))
    return map_state(lambda part: part.detach().requires_grad_(), state)


def _tensors(state: State) -> Iterator[Tensor]:
    """Yield the tensors of a state, layer by layer."""
    for layer in state:
        yield from layer


def _places_of_hidden(state: State) -> list[int]:
    """Return where h of each layer stands among the tensors of a state: first in its layer."""
    widths = [len(layer) for layer in state]
    return [sum(widths[:place]) for place in range(len(widths))]
