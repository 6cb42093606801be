"""Against cells whose biases set their gates, and against the step that uses them."""

from typing import Any

import pytest
import torch

from nextchapter.diagnostics.gates import gate_values, measure_saturation
from nextchapter.diagnostics.jacobians import LayerStep
from nextchapter.models.registry import build_model

HIDDEN = 4


def _step(spec: dict[str, Any], seed: int = 2) -> LayerStep:
    torch.manual_seed(seed)
    model: Any = build_model({"hidden": HIDDEN, "embedding": 3, **spec}, 7).double().eval()
    (cell,) = model.cells
    before = tuple(torch.rand(5, HIDDEN, dtype=torch.float64) for _ in range(cell.states))
    return LayerStep(cell, torch.randn(5, 3, dtype=torch.float64), before)


def test_the_lstm_moves_by_its_gates() -> None:
    step = _step({"kind": "lstm"})
    gates = gate_values(step)
    with torch.no_grad():
        sums = step.inputs @ step.cell.input_weight.T + step.before[0] @ step.cell.hidden_weight.T + step.cell.bias
        proposed = sums[:, 2 * HIDDEN : 3 * HIDDEN].tanh()
        _, (hidden, memory) = step.cell.step(step.inputs, step.before)
    assert torch.allclose(gates["forget"] * step.before[1] + gates["input"] * proposed, memory)
    assert torch.allclose(gates["output"] * memory.tanh(), hidden)


@pytest.mark.parametrize("kind", ["gru", "mingru"])
def test_an_open_update_gate_keeps_the_state(kind: str) -> None:
    step = _step({"kind": kind})
    bias = step.cell.bias.data
    if kind == "gru":
        bias[HIDDEN : 2 * HIDDEN] = 20
    else:
        bias[:HIDDEN] = -20
    with torch.no_grad():
        hidden, _ = step.cell.step(step.inputs, step.before)
    assert torch.allclose(hidden, step.before[0], atol=1e-6)
    assert measure_saturation([step])["update"] == (0, 1)


def test_the_minlstm_moves_by_its_gates() -> None:
    step = _step({"kind": "minlstm"})
    gates = gate_values(step)
    with torch.no_grad():
        candidate = (step.inputs @ step.cell.input_weight.T + step.cell.bias)[:, 2 * HIDDEN :]
        hidden, _ = step.cell.step(step.inputs, step.before)
    assert torch.allclose(gates["forget"] * step.before[0] + gates["input"] * candidate, hidden)


def test_units_of_networks_without_gates_stand_in_for_them() -> None:
    for activation, bias, share in (("tanh", 9.0, (0, 1)), ("sigmoid", -9.0, (1, 0)), ("tanh", 0.0, (0, 0))):
        step = _step({"kind": "elman", "activation": activation})
        step.cell.bias.data += bias
        step.cell.input_weight.data *= 0.1
        step.cell.hidden_weight.data *= 0.1
        assert measure_saturation([step]) == {"units": share}
    assert measure_saturation([_step({"kind": "elman", "activation": "relu"})]) == {}
    assert measure_saturation([_step({"kind": "slstm"})]) == {}


def test_shares_are_over_all_layers() -> None:
    shut, open_ = (_step({"kind": "lstm"}) for _ in range(2))
    shut.cell.bias.data -= 20
    open_.cell.bias.data += 20
    assert measure_saturation([shut, open_])["output"] == (0.5, 0.5)
