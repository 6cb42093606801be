"""Stochastic gradient descent, by default without momentum, as Zaremba et al. (2014) trained LSTMs."""

import torch
from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.parameters import decayed_groups


def build(model: nn.Module, spec: TrainingSpec) -> torch.optim.Optimizer:
    """Return SGD with momentum; its weight decay is not decoupled: it is added to the gradient."""
    return torch.optim.SGD(decayed_groups(model, spec), lr=spec.learning_rate, momentum=spec.momentum or 0.0)
