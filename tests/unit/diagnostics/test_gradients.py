"""Against finite differences of the loss, which know nothing of backpropagation, and made-up curves."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nextchapter.diagnostics.gradients import (
    WARM_UP_TOKENS,
    cut_windows,
    effective_memory,
    fit_decay,
    gradients_by_lag,
)
from nextchapter.models.registry import build_model

LAGS = 3
KINDS: list[dict[str, Any]] = [
    {"kind": "elman", "activation": "tanh"},
    {"kind": "elman", "activation": "relu"},
    {"kind": "elman", "activation": "sigmoid", "layers": 2},
    {"kind": "gru", "layers": 2},
    {"kind": "lstm"},
    {"kind": "lstm", "layers": 2},
    {"kind": "mingru"},
    {"kind": "rlstm"},
]


def _network(spec: dict[str, Any]) -> Any:
    torch.manual_seed(3)
    return build_model({"hidden": 3, "embedding": 4, **spec}, 7).double().eval()


@torch.no_grad()
def _by_differences(model: Any, window: Tensor, lag: int) -> tuple[float, float]:
    """Return |dL_t/ds_{t-lag}| and |dL_t/dh_{t-lag}| of one window, by moving each number of the state in turn."""
    read, rest, target = window[: -lag - 1], window[-lag - 1 : -1], window[-1:]
    _, state = model.read(read[None], model.initial_state(1))

    def loss(changed: Any) -> float:
        hidden, _ = model.read(rest[None], changed)
        return float(model.cross_entropy(hidden[:, -1:], target[None]))

    slopes: dict[tuple[int, int, int], float] = {}
    for layer, parts in enumerate(state):
        for place, part in enumerate(parts):
            for unit in range(part.shape[1]):
                ends = []
                for change in (1e-6, -1e-6):
                    moved = [[value.clone() for value in values] for values in state]
                    moved[layer][place][0, unit] += change
                    ends.append(loss(tuple(tuple(values) for values in moved)))
                slopes[layer, place, unit] = (ends[0] - ends[1]) / 2e-6
    of_hidden = [slope for (_, place, _), slope in slopes.items() if place == 0]
    return float(np.linalg.norm(list(slopes.values()))), float(np.linalg.norm(of_hidden))


@pytest.mark.parametrize("spec", KINDS, ids=str)
def test_gradients_by_lag_are_slopes_of_the_loss(spec: dict[str, Any]) -> None:
    model = _network(spec)
    windows = torch.from_numpy(np.random.default_rng(0).integers(0, 7, (2, 12)))
    found = gradients_by_lag(model, windows, LAGS)
    assert found.state.shape == found.hidden.shape == (LAGS + 1, 2)
    for lag in range(1, LAGS + 1):
        for place, window in enumerate(windows):
            state, hidden = _by_differences(model, window, lag)
            assert float(found.state[lag, place]) == pytest.approx(state, rel=1e-5, abs=1e-8)
            assert float(found.hidden[lag, place]) == pytest.approx(hidden, rel=1e-5, abs=1e-8)


def test_at_lag_0_the_gradient_is_that_of_the_softmax() -> None:
    model = _network({"kind": "lstm", "tied": False})
    windows = torch.tensor([[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]])
    with torch.no_grad():
        hidden, _ = model.read(windows[:, :-1], model.initial_state(2))
        surplus = model.predict(hidden)[:, -1].exp() - torch.nn.functional.one_hot(windows[:, -1], 7)
        expected = (surplus @ model.output.weight).norm(dim=1)
    assert torch.allclose(gradients_by_lag(model, windows, 2).state[0], expected, rtol=1e-12)


def test_a_geometric_decay_is_found_and_its_memory() -> None:
    norms = 5 * 0.8 ** torch.arange(60, dtype=torch.float64)
    decay = fit_decay(norms)
    assert decay is not None
    assert decay == pytest.approx((0.8, 1.0))
    assert effective_memory(norms) == 21  # 0.8^20 = 0.0115, 0.8^21 = 0.0092
    assert effective_memory(norms[:20]) is None
    assert effective_memory(1.1 ** torch.arange(60)) is None


def test_the_fit_agrees_with_numpys_on_what_is_no_line() -> None:
    norms = np.random.default_rng(1).uniform(0.1, 1, 40)
    slope, _ = np.polyfit(np.arange(1, 40), np.log(norms[1:]), 1)
    explained = np.corrcoef(np.arange(1, 40), np.log(norms[1:]))[0, 1] ** 2
    decay = fit_decay(torch.from_numpy(norms))
    assert decay is not None
    assert decay == pytest.approx((np.exp(slope), explained))


def test_no_gradient_at_all_is_no_decay_and_no_memory() -> None:
    assert fit_decay(torch.zeros(9)) is None
    assert effective_memory(torch.zeros(9)) == 0


def test_a_gradient_that_comes_back_above_the_bound_is_still_felt() -> None:
    assert effective_memory(torch.tensor([1.0, 0.001, 0.5, 0.001, 0.001])) == 3


def test_windows_lie_within_the_text_and_a_short_text_is_read_over_again() -> None:
    text = np.arange(1000, dtype=np.uint16)
    windows = cut_windows(text, 5, 10)
    assert windows.shape == (5, WARM_UP_TOKENS + 11)
    assert torch.equal(windows[:, 1:], windows[:, :-1] + 1)
    assert (int(windows[0, 0]), int(windows[-1, -1])) == (0, 999)
    assert cut_windows(text[:3], 2, 4)[1].tolist() == [0, 1, 2] * 12 + [0]
