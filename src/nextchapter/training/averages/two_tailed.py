"""Two-tailed averaging (Melis, 2023, arXiv 2209.12581): the tail of the run to average over finds its own length.

Two means run, a short and a long one. When the short one scores at least as well, the steps that only the long one
holds have begun to harm: it takes the short one's place, and a new short one begins. When the weights themselves score
at least as well as the long mean, averaging is of no use yet, and both begin anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.average import Average, RunningMean, WeightsByName


class TwoTailedAverage(Average):
    """A long and a short running mean; no hyperparameters."""

    def __init__(self, model: nn.Module, spec: TrainingSpec) -> None:
        """Begin both means; they are equal up to the first validation."""
        del spec
        self.long, self.short = RunningMean(model), RunningMean(model)

    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""
        self.long.add(model)
        self.short.add(model)

    def candidates(self) -> Sequence[WeightsByName]:
        """Return the long mean, and the short one where it differs."""
        return [mean.weights for mean in (self.long, self.short) if mean is self.long or mean.count < self.long.count]

    def judge(self, own_nats: float, candidates_nats: Sequence[float]) -> None:
        """Switch or begin anew, as the losses say; with one candidate the means are still equal."""
        if candidates_nats[-1] <= candidates_nats[0]:
            self.long, self.short = self.short, self.long
            self.short.clear()
        if own_nats <= min(candidates_nats):
            self.long.clear()
            self.short.clear()

    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint must hold."""
        return {"long": self.long.state_dict(), "short": self.short.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.long.load_state_dict(state["long"])
        self.short.load_state_dict(state["short"])


AVERAGE = TwoTailedAverage
