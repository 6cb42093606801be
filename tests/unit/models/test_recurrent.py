import math
from typing import Any

import pytest
import torch
from torch import Tensor

from nextchapter.models.lstm import LstmCell
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel, draw_recurrence
from nextchapter.models.registry import build_model

HIDDEN = 64
GATED = {"gru": 3, "lstm": 4}


def first_cell(kind: str, **keys: Any) -> Cell:
    torch.manual_seed(5)
    model = build_model({"kind": kind, "hidden": HIDDEN, "embedding": 8, **keys}, 11)
    assert isinstance(model, RecurrentLanguageModel)
    cell = model.cells[0]
    assert isinstance(cell, Cell)
    return cell


def kurtosis(values: Tensor) -> float:
    return float((values**4).mean() / values.var() ** 2)


@pytest.mark.parametrize("kind", ["elman", *GATED])
def test_each_block_is_orthogonal_and_none_is_another(kind: str) -> None:
    blocks = first_cell(kind, recurrent_init="orthogonal").hidden_weight.detach().split(HIDDEN)
    assert len(blocks) == GATED.get(kind, 1)
    for block in blocks:
        torch.testing.assert_close(block @ block.T, torch.eye(HIDDEN), rtol=0, atol=1e-5)
    assert not any(torch.allclose(block, blocks[0]) for block in blocks[1:])


def test_a_network_that_starts_from_the_identity_adds_up_its_inputs() -> None:
    cell = first_cell("elman", activation="relu", recurrent_init="identity")
    assert torch.equal(cell.hidden_weight, torch.eye(HIDDEN))
    inputs = torch.rand(1, 6, 8)
    cell.input_weight.data.abs_()
    outputs, _ = cell(inputs, (torch.zeros(1, HIDDEN),))
    torch.testing.assert_close(outputs[0], (inputs[0] @ cell.input_weight.T).cumsum(dim=0))


@pytest.mark.parametrize(("recurrent_init", "std", "fourth"), [("normal", 1.0, 3.0), ("uniform", 3**-0.5, 1.8)])
def test_weights_have_the_moments_of_their_distribution(recurrent_init: Any, std: float, fourth: float) -> None:
    torch.manual_seed(0)
    weights = draw_recurrence(3, 256, recurrent_init)
    assert weights.mean().item() == pytest.approx(0, abs=1e-3)
    assert weights.std().item() == pytest.approx(std / math.sqrt(256), rel=0.01)
    assert kurtosis(weights) == pytest.approx(fourth, rel=0.03)


def test_a_network_without_the_key_starts_as_it_always_did() -> None:
    torch.manual_seed(5)
    cell = LstmCell(8, HIDDEN, forget_bias=1.0)
    torch.manual_seed(5)
    bound = 1 / math.sqrt(HIDDEN)
    assert torch.equal(cell.input_weight, torch.empty(4 * HIDDEN, 8).uniform_(-bound, bound))
    assert torch.equal(cell.hidden_weight, torch.empty(4 * HIDDEN, HIDDEN).uniform_(-bound, bound))


def test_chrono_biases_are_logarithms_of_uniform_times() -> None:
    steps = 200
    torch.manual_seed(5)
    model = build_model({"kind": "lstm", "hidden": 4096, "embedding": 2, "chrono_steps": steps}, 3)
    bias = model.get_parameter("cells.0.bias").detach()
    taken, forget, candidate, output = bias.chunk(4)
    assert torch.equal(taken, -forget)
    assert not candidate.any()
    assert not output.any()
    times = forget.exp()
    assert times.min() >= 1 - 1e-5
    assert times.max() <= steps - 1 + 1e-2
    assert times.mean().item() == pytest.approx(steps / 2, rel=0.03)
    assert times.std().item() == pytest.approx((steps - 2) / math.sqrt(12), rel=0.03)


@pytest.mark.parametrize("kind", ["mingru", "minlstm"])
def test_a_minimal_cell_has_no_matrix_from_state_to_state(kind: str) -> None:
    assert sorted(name for name, _ in first_cell(kind).named_parameters()) == ["bias", "input_weight"]


def test_the_forget_gate_of_the_minimal_lstm_starts_open() -> None:
    bias = first_cell("minlstm", forget_bias=1.5).bias.tolist()
    assert bias == [1.5] * HIDDEN + [0.0] * 2 * HIDDEN


@pytest.mark.parametrize("kind", ["mingru", "minlstm"])
def test_the_state_may_start_anywhere_and_be_carried_over_chunks(kind: str) -> None:
    cell = first_cell(kind).double()
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(3, 10, 8, dtype=torch.float64, generator=generator)
    start = torch.randn(3, HIDDEN, dtype=torch.float64, generator=generator)
    whole, last = cell(inputs, (start,))
    first, middle = cell(inputs[:, :4], (start,))
    second, end = cell(inputs[:, 4:], middle)
    assert torch.equal(torch.cat([first, second], dim=1), whole)
    assert torch.equal(end[0], last[0])
    assert torch.equal(whole[:, -1], last[0])
