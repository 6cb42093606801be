"""What one step does to a small change of the state: the Jacobian ds_t/ds_{t-1}, its singular values and radius.

The state s of a layer is all that it carries: h, for an LSTM (h, c). A singular value is what a step stretches some
direction by; the spectral radius, the largest |eigenvalue|, is what it would stretch by in the long run if all steps
were alike. Largest singular value below 1: gradients must vanish; above 1: they may explode (Pascanu et al., 2013,
section 2.1). Across layers the whole Jacobian is block triangular, so its radius is the largest of the layers'.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel

MOST_NUMBERS = 2048
"""Numbers in the state of a layer up to which its Jacobians are taken: eigenvalues cost their cube."""


class LayerStep(NamedTuple):
    """What a layer meets at one step of several texts."""

    cell: Cell
    inputs: Float[Tensor, "batch input"]
    before: tuple[Tensor, ...]
    """The state before the step, each part [batch hidden]."""


class Spectrum(NamedTuple):
    """Step Jacobians of one layer at some places of a text."""

    singular_values: Float[Tensor, "place direction"]
    """Largest first."""
    radii: Float[Tensor, " place"]
    """Spectral radius at each place."""


@torch.no_grad()
def layer_steps(model: RecurrentLanguageModel, token: Int[Tensor, " batch"], state: State) -> list[LayerStep]:
    """Return what each layer meets when a model without dropout reads one token more."""
    steps = []
    inputs = model.embedding(token)
    for cell, before in zip(model.cells, state, strict=True):
        if not isinstance(cell, Cell):
            raise TypeError(type(cell))
        steps.append(LayerStep(cell, inputs, before))
        inputs, _ = cell.step(inputs, before)
    return steps


def step_jacobian(
    cell: Cell, inputs: Float[Tensor, " input"], before: tuple[Float[Tensor, " hidden"], ...]
) -> Float[Tensor, "after before"]:
    """Return ds_t/ds_{t-1} of one layer at one place.

    Rows of a batch do not touch each other: a batch of equal rows, each asked for another number of s_t, gives all
    rows of the Jacobian in one pass backwards.
    """
    numbers = sum(len(part) for part in before)
    states = tuple(part.detach().expand(numbers, -1).clone().requires_grad_() for part in before)
    _, after = cell.step(inputs.detach().expand(numbers, -1), states)
    rows = torch.autograd.grad(torch.cat(after, dim=1), states, torch.eye(numbers, dtype=inputs.dtype))
    return torch.cat(rows, dim=1)


def measure_spectrum(step: LayerStep, places: int) -> Spectrum | None:
    """Return singular values and spectral radii at the first places of a batch; None for a layer too large."""
    if sum(part.shape[1] for part in step.before) > MOST_NUMBERS:
        return None
    jacobians = [
        step_jacobian(step.cell, step.inputs[place], tuple(part[place] for part in step.before))
        for place in range(min(places, len(step.inputs)))
    ]
    radii = torch.stack([torch.linalg.eigvals(jacobian).abs().max() for jacobian in jacobians])
    return Spectrum(torch.stack([torch.linalg.svdvals(jacobian) for jacobian in jacobians]), radii)
