from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.models.hopfield import energy, learn_weights, overlap, recall, recall_modern


def _signs(generator: np.random.Generator, *shape: int) -> np.ndarray:
    return generator.choice(np.array([-1, 1], dtype=np.float32), size=shape)


def _naive_energy(patterns: np.ndarray, state: np.ndarray) -> float:
    """Write E = -1/2 sum_{i != j} W_ij s_i s_j out."""
    count, neurons = patterns.shape
    total = 0.0
    for i, j in product(range(neurons), repeat=2):
        if i != j:
            weight = sum(float(patterns[p, i] * patterns[p, j]) for p in range(count)) / neurons
            total -= weight * float(state[i] * state[j]) / 2
    return total


def _is_stable(weights: np.ndarray, states: np.ndarray) -> bool:
    return bool((states * (states @ weights) >= 0).all())


def test_weights_and_energy_are_those_of_the_paper() -> None:
    generator = np.random.default_rng(0)
    patterns, states = _signs(generator, 3, 7), _signs(generator, 5, 7)
    weights = learn_weights(patterns)
    assert weights == pytest.approx(weights.T)
    assert not weights.diagonal().any()
    assert weights[2, 5] == sum(patterns[p, 2] * patterns[p, 5] for p in range(3))
    assert energy(weights, states) == pytest.approx([_naive_energy(patterns, state) for state in states])


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(2, 24))
def test_a_recall_never_raises_the_energy_and_ends_in_a_stable_state(seed: int, count: int, neurons: int) -> None:
    generator = np.random.default_rng(seed)
    weights, probes = learn_weights(_signs(generator, count, neurons)), _signs(generator, 9, neurons)
    states = recall(weights, probes, generator)
    assert set(np.unique(states)) <= {-1.0, 1.0}
    assert _is_stable(weights, states)
    changed = (states != probes).any(axis=1)
    assert (energy(weights, states)[changed] < energy(weights, probes)[changed]).all()


@given(st.integers(0, 2**32 - 1))
def test_one_neuron_against_its_field_lowers_the_energy_by_twice_the_field(seed: int) -> None:
    generator = np.random.default_rng(seed)
    weights, state = learn_weights(_signs(generator, 4, 10)), _signs(generator, 1, 10)
    before = energy(weights, state)
    for neuron in range(10):
        pull = float(state[0, neuron] * (state @ weights)[0, neuron])
        other = state.copy()
        other[0, neuron] *= -1
        assert energy(weights, other) - before == pytest.approx([2 * pull / 10])


def test_on_a_tie_a_neuron_stays_as_it_is() -> None:
    patterns = np.array([[1, 1, 1], [1, -1, 1]], dtype=np.float32)  # nothing pulls the second neuron
    weights = learn_weights(patterns)
    assert not weights[1].any()
    for probe in (patterns[:1], patterns[1:]):
        assert (recall(weights, probe, np.random.default_rng(0)) == probe).all()


def test_all_states_reached_are_the_stable_ones_that_enumeration_finds() -> None:
    generator = np.random.default_rng(3)
    weights = learn_weights(_signs(generator, 2, 10))
    every = np.array(list(product((-1, 1), repeat=10)), dtype=np.float32)
    stable = {tuple(state) for state in every if _is_stable(weights, state[None])}
    assert {tuple(state) for state in recall(weights, every, generator)} == stable


def test_few_patterns_stay_as_they_are_and_come_back_from_a_fifth_of_errors() -> None:
    generator = np.random.default_rng(1)
    patterns = _signs(generator, 10, 400)
    weights = learn_weights(patterns)
    assert (recall(weights, patterns, generator) == patterns).all()
    wrong = np.where(generator.random(patterns.shape) < 0.2, -patterns, patterns)
    assert (recall(weights, wrong, generator) == patterns).all()


def test_a_probe_among_others_ends_as_it_does_alone() -> None:
    generator = np.random.default_rng(2)
    patterns = _signs(generator, 5, 200)
    weights, probes = learn_weights(patterns), np.where(generator.random(patterns.shape) < 0.1, -patterns, patterns)
    alone = [recall(weights, probe[None], generator)[0] for probe in probes]
    assert (recall(weights, probes, generator) == np.array(alone)).all()


def test_as_many_numbers_as_float32_adds_exactly() -> None:
    with pytest.raises(ValueError, match="found 4097 patterns of 4096 neurons"):
        learn_weights(np.ones((4097, 4096), dtype=np.float32))


def test_the_modern_step_is_the_attention_of_torch() -> None:
    generator = np.random.default_rng(4)
    patterns = generator.normal(size=(6, 16)).astype(np.float32)
    probes = generator.normal(size=(3, 16)).astype(np.float32)
    keys = torch.from_numpy(patterns)
    attended = torch.nn.functional.scaled_dot_product_attention(torch.from_numpy(probes), keys, keys).numpy()
    assert recall_modern(patterns, probes) == pytest.approx(attended, abs=1e-5)
    mean = recall_modern(patterns, probes, beta=0.0)
    assert mean == pytest.approx(np.tile(patterns.mean(axis=0), (3, 1)), abs=1e-6)


def test_the_modern_network_gives_back_more_patterns_than_it_has_neurons() -> None:
    generator = np.random.default_rng(5)
    patterns = _signs(generator, 600, 200)
    wrong = np.where(generator.random(patterns.shape) < 0.1, -patterns, patterns)
    assert overlap(patterns, recall_modern(patterns, wrong, beta=0.3)).min() > 0.99


def test_the_overlap_counts_neurons_that_agree() -> None:
    pattern = np.array([[1, 1, -1, -1]], dtype=np.float32)
    states = np.array([[1, 1, -1, -1], [1, 1, -1, 1], [-1, -1, 1, 1]], dtype=np.float32)
    assert overlap(np.repeat(pattern, 3, axis=0), states).tolist() == [1.0, 0.5, -1.0]
