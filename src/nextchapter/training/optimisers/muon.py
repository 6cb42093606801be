"""Muon: momentum whose matrices are made orthogonal (Jordan et al., 2024), each gate's block apart; AdamW for the rest.

A recurrent layer stacks the blocks of its gates in one matrix [gate * hidden, input]. Made orthogonal as a whole, a
gate with large gradients would set the size of all; so each block is a matrix of its own.

    B   <- momentum * B + G
    O    = NS(G + momentum * B),  NS ~ U V^T of the singular value decomposition U S V^T
    W   <- W - rate * (0.2 * sqrt(max(rows, columns)) * O + decay * W)

The factor gives a step the size of one of AdamW's (Liu et al., 2025, eq. 4), so that one learning rate serves both.
Embedding and output matrices, biases and scales are AdamW's, as the authors advise.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nextchapter.models.recurrent import Cell
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.parameters import trained_parameters

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration: steepest at 0, with all singular values ending near 1, though not at it."""
ITERATIONS = 5
MOMENTUM = 0.95
RMS_OF_ADAMW = 0.2
ADAMW_BETAS = (0.9, 0.99)


def build(model: nn.Module, spec: TrainingSpec) -> torch.optim.Optimizer:
    """Return Muon over the matrices of the recurrent layers, and AdamW over all else, as one optimiser."""
    cells = [module for module in model.modules() if isinstance(module, Cell)]
    blocks = {
        parameter: len(parameter) // cell.block_rows if name in ("input_weight", "hidden_weight") else 1
        for cell in cells
        for name, parameter in cell.named_parameters()
        if parameter.ndim == 2
    }
    rest = [parameter for parameter in trained_parameters(model) if parameter not in blocks]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in blocks if blocks[p] == count], "blocks": count, "weight_decay": spec.weight_decay}
        for count in sorted(set(blocks.values()))
    ]
    groups.append({"params": [p for p in rest if p.ndim >= 2], "blocks": 0, "weight_decay": spec.weight_decay})
    groups.append({"params": [p for p in rest if p.ndim < 2], "blocks": 0, "weight_decay": 0.0})
    return Muon(
        [group for group in groups if group["params"]],
        spec.learning_rate,
        MOMENTUM if spec.momentum is None else spec.momentum,
    )


class Muon(torch.optim.Optimizer):
    """Muon for groups with `blocks` > 0, the number of matrices stacked in each parameter; AdamW for the others."""

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, momentum: float) -> None:
        """Take the groups, each with its `blocks` and `weight_decay`."""
        super().__init__(groups, {"lr": lr, "momentum": momentum, "blocks": 0, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all parameters that have a gradient."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                direction = self._orthogonal if group["blocks"] else self._adaptive
                update = direction(parameter.grad, self.state[parameter], group)
                parameter.add_(update, alpha=-group["lr"])

    def _orthogonal(self, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        """Return the direction of a parameter of stacked matrices."""
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        momentum: float = group["momentum"]
        average = state["momentum"].mul_(momentum).add_(gradient)
        stacked = gradient.add(average, alpha=momentum).reshape(group["blocks"], -1, gradient.shape[1])
        size = RMS_OF_ADAMW * math.sqrt(max(stacked.shape[1:]))
        return orthogonalise(stacked).flatten(0, 1) * size

    def _adaptive(self, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> Tensor:
        """Return AdamW's direction (Loshchilov and Hutter, 2019)."""
        del group
        if not state:
            state |= {"step": 0, "first": torch.zeros_like(gradient), "second": torch.zeros_like(gradient)}
        state["step"] += 1
        step: int = state["step"]
        decay, square_decay = ADAMW_BETAS
        mean: Tensor = state["first"].lerp_(gradient, 1 - decay)
        square: Tensor = state["second"].mul_(square_decay).addcmul_(gradient, gradient, value=1 - square_decay)
        scale = square.div(1 - square_decay**step).sqrt_().add_(1e-8)
        return mean.div(1 - decay**step).div_(scale)


def orthogonalise(matrices: Float[Tensor, "block row column"]) -> Float[Tensor, "block row column"]:
    """Return about U V^T for each matrix U S V^T, by a Newton-Schulz iteration: singular values from 0.7 to 1.2."""
    a, b, c = COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x: Tensor = matrices if wide else matrices.transpose(1, 2)
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-12)
    for _ in range(ITERATIONS):
        product = x @ x.transpose(1, 2)
        x = a * x + (b * product + c * product @ product) @ x
    return x if wide else x.transpose(1, 2)
