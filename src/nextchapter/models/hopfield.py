"""The Hopfield network, a memory that completes what it is shown, and its successor of 2020; neither models language.

Hopfield (1982), *Neural networks and physical systems with emergent collective computational abilities*. Patterns x and
states s are vectors of +1 and -1. Equations and sources: docs/models/hopfield.md.
"""

import numpy as np
from jaxtyping import Float, Float32

_EXACT_MAX = 2**24  # float32 has all whole numbers up to here


def learn_weights(patterns: Float32[np.ndarray, "pattern neuron"]) -> Float32[np.ndarray, "neuron neuron"]:
    """Return N W, where W = 1/N sum_p x_p x_p^T with a zero diagonal is Hebb's rule (Hopfield, 1982, eq. 2).

    The factor N changes no sign; it makes the weights, and so all fields, whole numbers. These float32 adds without
    rounding: a tie is a tie, in whatever order it is summed.

    Args:
        patterns: of +1 and -1.

    Raises:
        ValueError: there are so many patterns and neurons that float32 would round.
    """
    count, neurons = patterns.shape
    if count * neurons > _EXACT_MAX:
        raise ValueError(f"found {count} patterns of {neurons} neurons; allowed are {_EXACT_MAX:,} numbers in all")
    weights = np.asarray(patterns.T @ patterns)
    np.fill_diagonal(weights, 0)
    return weights


def energy(
    weights: Float32[np.ndarray, "neuron neuron"], states: Float32[np.ndarray, "probe neuron"]
) -> Float[np.ndarray, " probe"]:
    """Return E = -1/2 s^T W s of each state (Hopfield, 1982, eq. 7).

    Args:
        weights: N W, as `learn_weights` returns them.
        states: of +1 and -1.
    """
    fields = (states @ weights).astype(np.float64)
    return np.asarray(-0.5 * (fields * states).sum(axis=1) / len(weights))


def recall(
    weights: Float32[np.ndarray, "neuron neuron"],
    probes: Float32[np.ndarray, "probe neuron"],
    generator: np.random.Generator,
) -> Float32[np.ndarray, "probe neuron"]:
    """Return the stable states into which probes fall: s_i <- sign(sum_j W_ij s_j), one neuron at a time.

    A neuron whose field is 0 stays as it is. Then each change lowers the energy, and so there is an end. In each round
    the neurons that are unstable in some probe are asked, in an order drawn anew.

    Args:
        weights: N W, as `learn_weights` returns them.
        probes: of +1 and -1.
        generator: draws the order of the neurons.
    """
    states = probes.copy()
    fields = states @ weights
    while (unstable := np.flatnonzero((states * fields < 0).any(axis=0))).size:
        for neuron in generator.permutation(unstable):
            turning = np.flatnonzero(states[:, neuron] * fields[:, neuron] < 0)
            states[turning, neuron] *= -1
            fields[turning] += 2 * states[turning, neuron, None] * weights[neuron]
    return states


def recall_modern(
    patterns: Float32[np.ndarray, "pattern neuron"],
    probes: Float32[np.ndarray, "probe neuron"],
    beta: float | None = None,
) -> Float32[np.ndarray, "probe neuron"]:
    """Return xi_new = X softmax(beta X^T xi), one step of the modern network (Ramsauer et al., 2020, eq. 3).

    It is attention (Vaswani et al., 2017, eq. 1) with the probes as queries and the patterns as both keys and values.

    Args:
        patterns: the columns of X.
        probes: the states xi.
        beta: how sharply the nearest pattern is preferred; 1/sqrt(N), as in attention, when absent.
    """
    scale = np.float32(patterns.shape[1] ** -0.5 if beta is None else beta)
    logits = scale * (probes @ patterns.T)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True) @ patterns)


def overlap(
    patterns: Float32[np.ndarray, "pattern neuron"], states: Float32[np.ndarray, "pattern neuron"]
) -> Float[np.ndarray, " pattern"]:
    """Return m = 1/N sum_i x_i s_i of each pattern and its state: 1 where they agree, about 0 for a random state."""
    return np.asarray((patterns * states).mean(axis=1, dtype=np.float64))
