"""Which of a model's parameters are trained, and how they are treated alike."""

from typing import Any

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
