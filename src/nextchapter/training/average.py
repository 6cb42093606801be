"""What an average of the weights along a run is to the trainer. The kinds stand in `nextchapter.training.averages`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from nextchapter.spec.training import TrainingSpec

WeightsByName = dict[str, Tensor]


class Average(ABC):
    """Weights that follow a model's; at each validation they are candidates beside the model's own."""

    @abstractmethod
    def __init__(self, model: nn.Module, spec: TrainingSpec) -> None:
        """Begin at the start of a run."""

    @abstractmethod
    def update(self, model: nn.Module) -> None:
        """Take in the weights after a step."""

    @abstractmethod
    def candidates(self) -> Sequence[WeightsByName]:
        """Return the averages that are to be validated now."""

    def judge(self, own_nats: float, candidates_nats: Sequence[float]) -> None:
        """Hear the validation losses of the model's own weights and of the candidates, in their order."""
        del own_nats, candidates_nats

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return all that a checkpoint must hold, on the CPU."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""


class RunningMean:
    """The mean of the weights of some steps."""

    def __init__(self, model: nn.Module) -> None:
        """Begin with no step; the model says which weights there are."""
        self.count, self.weights = 0, copied_weights(model)

    def add(self, model: nn.Module) -> None:
        """Take in the weights of one more step."""
        self.count += 1
        for name, value in model.named_parameters():
            self.weights[name].lerp_(value.detach(), 1 / self.count)

    def clear(self) -> None:
        """Forget all steps."""
        self.count = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the count and the weights, on the CPU."""
        return {"count": self.count, "weights": moved_weights(self.weights, "cpu")}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a checkpoint."""
        device = next(iter(self.weights.values())).device
        self.count, self.weights = state["count"], moved_weights(state["weights"], device)


def copied_weights(model: nn.Module) -> WeightsByName:
    """Return copies of a model's parameters, where they lie."""
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def moved_weights(weights: Mapping[str, Tensor], device: torch.device | str) -> WeightsByName:
    """Return weights on a device; those that lie there already are not copied."""
    return {name: value.to(device) for name, value in weights.items()}


@contextmanager
def lent_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Let a model have other weights for a while; its own come back bit for bit."""
    own = copied_weights(model)
    _copy(model, weights)
    try:
        yield
    finally:
        _copy(model, own)


def _copy(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(weights[name])
