"""Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""

import torch
from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.parameters import decayed_groups


def build(model: nn.Module, spec: TrainingSpec) -> torch.optim.Optimizer:
    """Return AdamW; its second moments are shorter than usual, for runs of some thousand steps."""
    return torch.optim.AdamW(decayed_groups(model, spec), lr=spec.learning_rate, betas=(0.9, 0.99), fused=True)
