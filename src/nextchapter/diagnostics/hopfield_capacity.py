"""How many random patterns a Hopfield network holds, by trying and by theory.

Amit, Gutfreund and Sompolinsky (1985; 1987): with P = alpha N random patterns and many neurons, recall is nearly
perfect up to alpha = 0.138, and breaks down at once beyond it.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.special import erf

from nextchapter.models.hopfield import learn_weights, overlap, recall, recall_modern

LOADS = (0.02, 0.05, 0.08, 0.1, 0.11, 0.12, 0.13, 0.14, 0.15, 0.16, 0.18, 0.2, 0.25, 0.3)
"""Patterns a neuron, alpha = P/N; close together where recall breaks down."""
FAR_LOAD = 10.0
"""A load that only the modern network is asked for."""
FAR_PROBES = 100


class Overlaps(NamedTuple):
    """Mean overlap between what was stored and what is recalled, of one set of random patterns."""

    stored: float
    """The classical network, shown the patterns themselves."""
    flipped: float
    """The classical network, shown patterns with some neurons flipped."""
    modern: float
    """The modern network, likewise."""


def random_patterns(count: int, neurons: int, generator: np.random.Generator) -> np.ndarray:
    """Return patterns of +1 and -1, each as likely as the other, float32 [pattern neuron]."""
    return generator.choice(np.array([-1, 1], dtype=np.float32), size=(count, neurons))


def flip(patterns: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Return the patterns with each neuron flipped with probability `share`."""
    return np.where(generator.random(patterns.shape) < share, -patterns, patterns)


def measure_overlaps(neurons: int, load: float, flipped_share: float, generator: np.random.Generator) -> Overlaps:
    """Store random patterns and recall each.

    Args:
        neurons: size of the network.
        load: patterns a neuron.
        flipped_share: of the neurons of a probe.
        generator: draws all.
    """
    patterns = random_patterns(max(1, round(load * neurons)), neurons, generator)
    flipped = flip(patterns, flipped_share, generator)
    both = recall(learn_weights(patterns), np.concatenate([patterns, flipped]), generator)
    states = (*np.split(both, 2), recall_modern(patterns, flipped))
    return Overlaps(*(float(overlap(patterns, found).mean()) for found in states))


def measure_capacity(neurons: int, flipped_share: float, repeats: int, seed: int) -> dict[str, Any]:
    """Return the overlaps at all `LOADS`, one a repeat, and that of the modern network at `FAR_LOAD`.

    Args:
        neurons: size of the networks.
        flipped_share: of the neurons of a probe.
        repeats: sets of random patterns.
        seed: of all of them.
    """
    curves: dict[str, list[list[float]]] = {name: [] for name in Overlaps._fields}
    for place, load in enumerate(LOADS):
        generators = [np.random.default_rng((seed, repeat, place)) for repeat in range(repeats)]
        measured = [measure_overlaps(neurons, load, flipped_share, generator) for generator in generators]
        for name, values in zip(Overlaps._fields, zip(*measured, strict=True), strict=True):
            curves[name].append([round(value, 4) for value in values])
    far = _far_overlap(neurons, flipped_share, np.random.default_rng((seed, len(LOADS))))
    return {
        "neurons": neurons,
        "flipped_share": flipped_share,
        "loads": list(LOADS),
        "overlap": curves,
        "far_load": FAR_LOAD,
        "far_overlap": round(far, 4),
    }


def _far_overlap(neurons: int, flipped_share: float, generator: np.random.Generator) -> float:
    patterns = random_patterns(round(FAR_LOAD * neurons), neurons, generator)
    asked = patterns[:FAR_PROBES]
    return float(overlap(asked, recall_modern(patterns, flip(asked, flipped_share, generator))).mean())


def mean_field() -> tuple[np.ndarray, np.ndarray]:
    """Return loads and the overlap m at each for endlessly many neurons; the last load is the critical one.

    Without noise the equations of Amit, Gutfreund and Sompolinsky (1987) become one in y = m / sqrt(2 alpha r):

        m = erf(y),     sqrt(2 alpha) = erf(y) / y - 2 / sqrt(pi) e^(-y^2)
    """
    y = np.linspace(6, 0.1, 2000)
    m = erf(y)
    loads = 0.5 * (m / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2
    recalling = slice(int(loads.argmax()) + 1)  # beyond the largest load the solutions are no minima of the free energy
    return loads[recalling], m[recalling]
