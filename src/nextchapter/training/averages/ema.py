"""The exponential moving average of the weights (Polyak and Juditsky, 1992, with forgetting)."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.average import Average, WeightsByName, copied_weights, moved_weights


class ExponentialAverage(Average):
    """a <- d a + (1 - d) w, with d = min(`ema_decay`, (1 + t) / (10 + t)), so that the start is soon forgotten."""

    def __init__(self, model: nn.Module, spec: TrainingSpec) -> None:
        """Begin at the model's weights."""
        self.decay, self.steps, self.weights = spec.ema_decay, 0, copied_weights(model)

    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in model.named_parameters():
            self.weights[name].lerp_(value.detach(), 1 - decay)

    def candidates(self) -> Sequence[WeightsByName]:
        """Return the one average."""
        return [self.weights]

    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint must hold."""
        return {"steps": self.steps, "weights": moved_weights(self.weights, "cpu")}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        device = next(iter(self.weights.values())).device
        self.steps, self.weights = state["steps"], moved_weights(state["weights"], device)


AVERAGE = ExponentialAverage
