import itertools

import numpy as np
import pytest
import torch

from nextchapter.models.interpolation import fit_weights, step_weights


@pytest.fixture
def log_probs() -> torch.Tensor:
    """Return ln p of 400 tokens by three members, each the best at some of them."""
    probs = np.random.default_rng(0).dirichlet([0.5, 0.4, 0.3], size=400) * 0.2 + 1e-4
    return torch.from_numpy(np.log(probs))


def _nats(log_probs: torch.Tensor, weights: torch.Tensor) -> float:
    return -float((log_probs + weights.log()).logsumexp(dim=1).mean())


def test_no_step_lowers_the_likelihood(log_probs: torch.Tensor) -> None:
    weights, before = torch.tensor([0.98, 0.01, 0.01]).double(), float("inf")
    for _ in range(50):
        better, nats = step_weights(log_probs.exp(), weights)
        assert nats == pytest.approx(_nats(log_probs, weights), rel=1e-12)
        assert nats <= before + 1e-12
        assert float(better.sum()) == pytest.approx(1, abs=1e-12)
        weights, before = better, nats


def test_two_weights_are_those_of_a_fine_grid(log_probs: torch.Tensor) -> None:
    pair = log_probs[:, :2]
    grid = [torch.tensor([1 - share, share]).double() for share in np.arange(0.005, 1, 0.005)]
    best = min(grid, key=lambda weights: _nats(pair, weights))
    weights, nats = fit_weights(pair)
    torch.testing.assert_close(weights, best, rtol=0, atol=5e-3)
    assert nats <= _nats(pair, best)
    assert nats == pytest.approx(_nats(pair, weights), rel=1e-9)


def test_nothing_on_the_simplex_of_three_is_better(log_probs: torch.Tensor) -> None:
    _, nats = fit_weights(log_probs)
    corners = itertools.product(np.arange(0.05, 1, 0.05), repeat=2)
    others = [torch.tensor([a, b, 1 - a - b]).double() for a, b in corners if a + b < 1]
    assert nats <= min(_nats(log_probs, weights) for weights in others)


def test_a_member_that_never_helps_gets_nothing_and_very_small_probabilities_do_no_harm() -> None:
    useful = torch.full((50,), -2000.0).double()
    weights, nats = fit_weights(torch.stack([useful, useful - 3, torch.full_like(useful, -torch.inf)], dim=1))
    torch.testing.assert_close(weights, torch.tensor([1.0, 0.0, 0.0]).double(), rtol=0, atol=1e-6)
    assert nats == pytest.approx(2000)
