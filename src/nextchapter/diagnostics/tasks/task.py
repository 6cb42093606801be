"""What the memory tasks share: sequences drawn anew for each step, one loss to lower, one error to be judged by."""

import importlib
from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


class Sample(NamedTuple):
    """Sequences and what is to be answered."""

    inputs: Float[Tensor, "batch time input"]
    targets: Float[Tensor, " batch"] | Int[Tensor, "batch answer"]
    """What the last outputs of a sequence must be: one value, or the class at each of its last steps."""


class Task(ABC):
    """A task at any length; the pass rules and their sources stand in docs/memory-tasks.md."""

    inputs: ClassVar[int]
    """Width of x_t."""
    outputs: ClassVar[int]
    """Width of what a network answers at each step."""
    error: ClassVar[str]
    """What a network is judged by, in words."""

    @abstractmethod
    def draw(self, length: int, batch: int, generator: torch.Generator) -> Sample:
        """Return random sequences of a length, and their targets."""

    @abstractmethod
    def limit(self, length: int) -> float:
        """Return the error below which a network has learned the task."""

    @abstractmethod
    def chance(self, length: int) -> float:
        """Return the error of the best answer that remembers nothing."""

    def test_length(self, length: int) -> int:
        """Return the length at which a network is judged that was trained at a length."""
        return length

    def loss(self, outputs: Float[Tensor, "batch time output"], sample: Sample) -> Float[Tensor, ""]:
        """Return what a step of the training lowers: the nats of an answer, unless a task says otherwise."""
        answers = sample.targets.shape[1]
        return functional.cross_entropy(outputs[:, -answers:].flatten(0, 1), sample.targets.flatten())

    def measure(self, outputs: Float[Tensor, "batch time output"], sample: Sample) -> Float[Tensor, ""]:
        """Return the error: the share of wrong last answers, unless a task says otherwise."""
        return (outputs[:, -1].argmax(dim=-1) != sample.targets[:, -1]).float().mean()


def load_task(name: str) -> Task:
    """Return the task of a name such as `temporal_order`."""
    task: Task = importlib.import_module(f"nextchapter.diagnostics.tasks.{name}").TASK
    return task
