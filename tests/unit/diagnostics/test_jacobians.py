"""Against torch.func.jacrev of the equations as they stand in docs/models.md, and the eigenvalues of numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from nextchapter.diagnostics.jacobians import MOST_NUMBERS, LayerStep, layer_steps, measure_spectrum, step_jacobian
from nextchapter.models.registry import build_model

HIDDEN = 4


def _elman(cell: Any, x: Tensor, state: Tensor) -> Tensor:
    sums = cell.input_weight @ x + cell.hidden_weight @ state + cell.bias
    return {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}[cell.activation](sums)


def _lstm(cell: Any, x: Tensor, state: Tensor) -> Tensor:
    hidden, memory = state.chunk(2)
    i, f, g, o = (cell.input_weight @ x + cell.hidden_weight @ hidden + cell.bias).chunk(4)
    after = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
    return torch.cat([torch.sigmoid(o) * torch.tanh(after), after])


def _gru(cell: Any, x: Tensor, state: Tensor) -> Tensor:
    from_input, from_state = cell.input_weight @ x + cell.bias, cell.hidden_weight @ state
    r, z = torch.sigmoid(from_input[: 2 * HIDDEN] + from_state[: 2 * HIDDEN]).chunk(2)
    n = torch.tanh(from_input[2 * HIDDEN :] + r * (from_state[2 * HIDDEN :] + cell.candidate_bias))
    return (1 - z) * n + z * state


def _network(spec: dict[str, Any]) -> Any:
    torch.manual_seed(5)
    return build_model({"hidden": HIDDEN, "embedding": 3, **spec}, 7).double().eval()


@pytest.mark.parametrize(
    ("spec", "equations"),
    [
        *(({"kind": "elman", "activation": name}, _elman) for name in ("tanh", "relu", "sigmoid")),
        ({"kind": "lstm"}, _lstm),
        ({"kind": "gru"}, _gru),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_step_jacobian_is_that_of_the_equations(
    spec: dict[str, Any], equations: Callable[[Any, Tensor, Tensor], Tensor]
) -> None:
    (cell,) = _network(spec).cells
    x, state = torch.randn(3, dtype=torch.float64), torch.randn(cell.states * HIDDEN, dtype=torch.float64)
    expected = torch.func.jacrev(lambda s: equations(cell, x, s))(state)
    found = step_jacobian(cell, x, tuple(state.chunk(cell.states)))
    assert torch.allclose(found, expected.detach(), atol=1e-12)


def test_each_layer_meets_what_the_layer_below_gives() -> None:
    model = _network({"kind": "lstm", "layers": 2})
    tokens = torch.tensor([[1, 2, 3], [4, 5, 6]])
    with torch.no_grad():
        _, before = model.read(tokens[:, :2], model.initial_state(2))
        _, after = model.read(tokens[:, 2:], before)
    first, second = layer_steps(model, tokens[:, 2], before)
    assert torch.allclose(first.inputs, model.embedding(tokens[:, 2]))
    assert torch.allclose(second.inputs, after[0][0])
    assert all(torch.equal(found, kept) for found, kept in zip(second.before, before[1], strict=True))


def test_the_spectrum_is_that_of_numpy() -> None:
    model = _network({"kind": "elman"})
    (step,) = layer_steps(model, torch.tensor([1, 2, 3]), ((torch.randn(3, HIDDEN, dtype=torch.float64),),))
    spectrum = measure_spectrum(step, 2)
    assert spectrum is not None
    assert spectrum.singular_values.shape == (2, HIDDEN)
    with torch.no_grad():
        hidden, _ = step.cell.step(step.inputs, step.before)
        for place in range(2):
            by_formula = ((1 - hidden[place] ** 2)[:, None] * step.cell.hidden_weight).numpy()
            assert np.allclose(spectrum.singular_values[place], np.linalg.svd(by_formula, compute_uv=False))
            assert float(spectrum.radii[place]) == pytest.approx(np.abs(np.linalg.eigvals(by_formula)).max())


def test_a_layer_too_large_is_left_out() -> None:
    (cell,) = _network({"kind": "elman"}).cells
    wide = LayerStep(cell, torch.zeros(1, 3), (torch.zeros(1, MOST_NUMBERS + 1),))
    assert measure_spectrum(wide, 1) is None
