import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

from nextchapter.diagnostics.hopfield_capacity import LOADS, flip, mean_field, measure_capacity, measure_overlaps


def test_the_theory_has_the_published_critical_load_and_overlap() -> None:
    """Amit, Gutfreund and Sompolinsky (1987): alpha_c = 0.138, with m = 0.967 there."""
    loads, m = mean_field()
    assert loads[-1] == pytest.approx(0.1379, abs=1e-4)
    assert m[-1] == pytest.approx(0.967, abs=1e-3)
    assert (np.diff(loads) > 0).all()


@pytest.mark.parametrize("load", [0.05, 0.1, 0.13])
def test_the_theory_solves_its_equations(load: float) -> None:
    """Solve m = erf(m / sqrt(2 alpha r)), r = 1 / (1 - C)^2, C = sqrt(2 / (pi alpha r)) e^(-m^2 / 2 alpha r) anew."""

    def excess(m: float, r: float) -> float:
        return m - erf(m / np.sqrt(2 * load * r))

    r = 1.0
    for _ in range(500):
        m = brentq(excess, 0.5, 1.0, args=(r,))
        c = np.sqrt(2 / (np.pi * load * r)) * np.exp(-(m**2) / (2 * load * r))
        r = 1 / (1 - c) ** 2
    assert np.interp(load, *mean_field()) == pytest.approx(m, abs=1e-5)


def test_a_network_of_500_neurons_recalls_at_a_load_of_a_tenth_and_no_more_at_a_fifth() -> None:
    generator = np.random.default_rng(0)
    low, high = (measure_overlaps(500, load, 0.1, generator) for load in (0.1, 0.2))
    assert low.stored == pytest.approx(np.interp(0.1, *mean_field()), abs=0.005)
    assert low.flipped > 0.97
    assert high.stored < 0.7
    assert high.flipped < 0.7
    assert high.modern > 0.999


def test_a_share_of_the_neurons_is_flipped() -> None:
    patterns = np.ones((100, 100), dtype=np.float32)
    assert (flip(patterns, 0.3, np.random.default_rng(0)) == -1).mean() == pytest.approx(0.3, abs=0.02)
    assert (flip(patterns, 0.0, np.random.default_rng(0)) == 1).all()


def test_the_record_holds_a_value_for_each_load_and_repeat_and_repeats_itself() -> None:
    record = measure_capacity(neurons=60, flipped_share=0.1, repeats=2, seed=1)
    assert record == measure_capacity(neurons=60, flipped_share=0.1, repeats=2, seed=1)
    assert {np.shape(values) for values in record["overlap"].values()} == {(len(LOADS), 2)}
    first, second = np.transpose(record["overlap"]["stored"])
    assert (first != second).any()
    assert record["overlap"] != measure_capacity(neurons=60, flipped_share=0.1, repeats=2, seed=2)["overlap"]
