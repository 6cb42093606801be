"""AdamW with decay on matrices only, and its learning rate: warm-up, then half a cosine."""

import math

import torch
from torch import nn

from nextchapter.spec.training import TrainingSpec


def build_optimiser(model: nn.Module, spec: TrainingSpec) -> torch.optim.AdamW:
    """Return AdamW (Loshchilov and Hutter, 2019); weights are decayed, biases are not."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": spec.weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=spec.learning_rate, betas=(0.9, 0.99), fused=True)


def learning_rate(step: int, total_steps: int, spec: TrainingSpec) -> float:
    """Return the learning rate of a step: linear to the peak, then by a cosine to its final share.

    Args:
        step: counts from 0.
        total_steps: the step at which the cosine ends.
        spec: peak, warm-up and final share.
    """
    warmup = min(spec.warmup_steps, total_steps // 2)
    if step < warmup:
        return spec.learning_rate * (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total_steps - warmup))
    cosine = (1 + math.cos(math.pi * progress)) / 2
    share = spec.final_learning_rate_share
    return spec.learning_rate * (share + (1 - share) * cosine)
