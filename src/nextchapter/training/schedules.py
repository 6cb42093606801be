"""The learning rate of each step: warm-up, then what `training.schedule` says."""

import math

from nextchapter.spec.training import TrainingSpec


def learning_rate(step: int, total_steps: int, elapsed_share: float, spec: TrainingSpec) -> float:
    """Return the learning rate of a step: linear to the peak, then by a cosine to its final share, or constant.

    Args:
        step: counts from 0.
        total_steps: the step at which the cosine ends, if no clock ends it before.
        elapsed_share: share of a budget of seconds that is spent; 0 without one.
        spec: peak, warm-up, schedule and final share.
    """
    warmup = min(spec.warmup_steps, total_steps // 2)
    if step < warmup:
        return spec.learning_rate * (step + 1) / warmup
    if spec.schedule != "cosine":
        return spec.learning_rate
    progress = min(1.0, max(elapsed_share, (step - warmup) / max(1, total_steps - warmup)))
    cosine = (1 + math.cos(math.pi * progress)) / 2
    share = spec.final_learning_rate_share
    return spec.learning_rate * (share + (1 - share) * cosine)
