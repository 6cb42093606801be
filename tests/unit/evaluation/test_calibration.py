import numpy as np
import pytest

from nextchapter.evaluation.calibration import BINS, expected_calibration_error, reliability


def test_a_hand_worked_curve() -> None:
    """Two bins: four tokens at 0.5, one of which came, and one at 0.9 that came."""
    curve = reliability(np.array([0.5, 0.5, 0.5, 0.5, 0.9]), np.array([True, False, False, False, True]))
    assert curve.tokens.tolist() == [4, 1]
    assert curve.confidence.tolist() == pytest.approx([0.5, 0.9])
    assert curve.accuracy.tolist() == [0.25, 1.0]
    assert expected_calibration_error(curve) == pytest.approx((4 * 0.25 + 1 * 0.1) / 5)


def test_the_error_is_that_of_a_loop_over_the_bins() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.beta(0.7, 1.5, size=3000)
    is_right = generator.random(3000) < confidence**1.3
    expected = 0.0
    for number in range(BINS):
        inside = (confidence > number / BINS) & (confidence <= (number + 1) / BINS)
        if inside.any():
            expected += inside.mean() * abs(is_right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(reliability(confidence, is_right)) == pytest.approx(expected)


def test_chances_that_hold_have_an_error_near_0_and_their_halves_half_of_the_mean() -> None:
    generator = np.random.default_rng(1)
    chances = generator.random(200_000)
    comes = generator.random(200_000) < chances
    assert expected_calibration_error(reliability(chances, comes)) < 0.006
    assert expected_calibration_error(reliability(chances / 2, comes)) == pytest.approx(0.25, abs=0.006)


def test_the_ends_of_the_scale_are_in_the_outer_bins() -> None:
    curve = reliability(np.array([0.0, 1.0]), np.array([False, True]))
    assert curve.low.tolist() == pytest.approx([0.0, 1 - 1 / BINS])
