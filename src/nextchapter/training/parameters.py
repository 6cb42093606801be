"""Which of a model's parameters are trained, and how they are treated alike."""

from typing import Any

import torch
from torch import nn

from nextchapter.spec.training import TrainingSpec


def trained_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that take a gradient, a shared one once."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def decayed_groups(model: nn.Module, spec: TrainingSpec) -> list[dict[str, Any]]:
    """Return an optimiser's groups: matrices with the weight decay, vectors without."""
    trained = trained_parameters(model)
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": spec.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]


@torch.no_grad()
def clip_gradients(model: nn.Module, largest: float) -> float:
    """Scale all gradients by one factor so that their global norm is at most `largest`; return the norm before.

    Sparse gradients are put together, so that each row stands there once (Pascanu et al., 2013).
    """
    values = []
    for parameter in model.parameters():
        if parameter.grad is not None:
            if parameter.grad.is_sparse:
                parameter.grad = parameter.grad.coalesce()
            values.append(parameter.grad.values() if parameter.grad.is_sparse else parameter.grad)
    norm = nn.utils.get_total_norm(values)
    factor = torch.clamp(largest / (norm + 1e-6), max=1.0)
    for value in values:
        value.mul_(factor)
    return norm.item()
