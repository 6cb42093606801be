"""How often gates are shut or wide open: saturated, in the words of Karpathy, Johnson and Li (2015, section 4.2).

A gate below 0.1 is left-saturated, one above 0.9 right-saturated; there the derivative of the sigmoid is below 0.09,
and hardly any gradient passes through the gate itself. A forget gate on the right keeps its memory: that is what it is
for.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nextchapter.diagnostics.jacobians import LayerStep
from nextchapter.models.elman import ElmanCell
from nextchapter.models.gru import GruCell
from nextchapter.models.lstm import LstmCell
from nextchapter.models.mingru import MinGruCell
from nextchapter.models.minlstm import MinLstmCell

SHUT, OPEN = 0.1, 0.9
"""Karpathy et al.'s bounds."""

Gates = dict[str, Float[Tensor, "batch hidden"]]


class Saturation(NamedTuple):
    """Shares of the values of one gate, over units, layers and places."""

    shut: float
    """Below `SHUT`."""
    open: float
    """Above `OPEN`."""


def measure_saturation(steps: Iterable[LayerStep]) -> dict[str, Saturation]:
    """Return how saturated each gate is; a cell whose gates are not known here has none."""
    values: dict[str, list[Tensor]] = {}
    for step in steps:
        for name, gate in gate_values(step).items():
            values.setdefault(name, []).append(gate.flatten())
    joined = {name: torch.cat(parts) for name, parts in values.items()}
    return {
        name: Saturation(float((gate < SHUT).double().mean()), float((gate > OPEN).double().mean()))
        for name, gate in joined.items()
    }


@torch.no_grad()
def gate_values(step: LayerStep) -> Gates:
    """Return the gates of a layer at a step, each between 0 and 1.

    A network without gates has its units in their place: sigmoid units as they are, tanh units as (1 + h) / 2, which is
    the sigmoid of twice the pre-activation.
    """
    read = _READERS.get(type(step.cell))
    return {} if read is None else read(step.cell, step.inputs, step.before)


def _elman(cell: ElmanCell, inputs: Tensor, before: tuple[Tensor, ...]) -> Gates:
    hidden, _ = cell.step(inputs, before)
    scaled = {"tanh": (1 + hidden) / 2, "sigmoid": hidden}
    return {"units": scaled[cell.activation]} if cell.activation in scaled else {}


def _lstm(cell: LstmCell, inputs: Tensor, before: tuple[Tensor, ...]) -> Gates:
    recurrent = functional.linear(before[0], cell.hidden_weight)
    sums = functional.linear(inputs, cell.input_weight, cell.bias) + recurrent
    put_in, forget, _, out = sums.sigmoid().chunk(4, dim=-1)
    return {"input": put_in, "forget": forget, "output": out}


def _gru(cell: GruCell, inputs: Tensor, before: tuple[Tensor, ...]) -> Gates:
    recurrent = functional.linear(before[0], cell.hidden_weight)
    sums = functional.linear(inputs, cell.input_weight, cell.bias) + recurrent
    reset, update, _ = sums.sigmoid().chunk(3, dim=-1)
    return {"reset": reset, "update": update}


def _mingru(cell: MinGruCell, inputs: Tensor, before: tuple[Tensor, ...]) -> Gates:
    del before
    gate, _ = cell.gate_and_candidate(functional.linear(inputs, cell.input_weight, cell.bias))
    return {"update": 1 - gate}  # as the GRU's: what is kept


def _minlstm(cell: MinLstmCell, inputs: Tensor, before: tuple[Tensor, ...]) -> Gates:
    del before
    gate, _ = cell.gate_and_candidate(functional.linear(inputs, cell.input_weight, cell.bias))
    return {"input": gate, "forget": 1 - gate}


_READERS: dict[type, Callable[[Any, Tensor, tuple[Tensor, ...]], Gates]] = {
    ElmanCell: _elman,
    LstmCell: _lstm,
    GruCell: _gru,
    MinGruCell: _mingru,
    MinLstmCell: _minlstm,
}
