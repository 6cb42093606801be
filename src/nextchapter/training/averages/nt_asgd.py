"""Averaging that begins when validation stops falling: NT-ASGD (Merity, Keskar and Socher, 2018, algorithm 1).

The authors average iterates of SGD at a constant rate; nothing here forbids another optimiser or schedule.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.average import Average, RunningMean, WeightsByName


class TriggeredAverage(Average):
    """The mean since the first validation that was worse than the best one more than `average_patience` ago."""

    def __init__(self, model: nn.Module, spec: TrainingSpec) -> None:
        """Wait for the trigger."""
        self.patience, self.losses, self.triggered = spec.average_patience, list[float](), False
        self.mean = RunningMean(model)

    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step, if the trigger came."""
        if self.triggered:
            self.mean.add(model)

    def candidates(self) -> Sequence[WeightsByName]:
        """Return the mean, if there is one."""
        return [self.mean.weights] if self.mean.count else []

    def judge(self, own_nats: float, candidates_nats: Sequence[float]) -> None:
        """Look for the trigger in the losses of the model's own weights."""
        del candidates_nats
        before = self.losses[: -self.patience] if self.patience else self.losses
        self.triggered = self.triggered or own_nats > min(before, default=own_nats)
        self.losses.append(own_nats)

    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint must hold."""
        return {"losses": self.losses, "triggered": self.triggered, "mean": self.mean.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.losses, self.triggered = list(state["losses"]), state["triggered"]
        self.mean.load_state_dict(state["mean"])


AVERAGE = TriggeredAverage
