"""Trials: a network is trained on a task at rising lengths, each time from the start, until it fails at one.

All networks see the same sequences: a trial is a function of its recipe, its length and its learning rate.
"""

import importlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from nextchapter.diagnostics.tasks.network import TaskNetwork
from nextchapter.diagnostics.tasks.task import Sample, Task
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.objective import Penalty
from nextchapter.training.parameters import clip_gradients

JUDGED_SEQUENCES = 1000
"""Sequences, none of them trained on, by which a network is judged."""
JUDGED_EVERY_STEPS = 50
SHORTEST_CHRONO = 3


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained."""

    model: dict[str, Any]
    """Specification of a recurrent family."""
    training: TrainingSpec
    """Optimiser, clipping, penalties; the learning rate is the trial's."""
    steps: int
    """Most training steps."""
    batch_size: int
    """Sequences of a step."""
    seed: int
    chrono: bool = False
    """Whether the gates' biases follow the length (`chrono_steps`)."""


@dataclass(frozen=True)
class Trial:
    """What became of a network at one length and one learning rate."""

    length: int
    learning_rate: float
    steps: int
    """Done until it passed or diverged, or all of them."""
    error: float | None
    """The last one that was measured, if one was, and it is a number."""
    passed: bool
    diverged: bool
    """Whether loss or gradient ceased to be finite numbers."""
    clipped_share: float
    """Share of the steps whose gradient was clipped."""


def climb(task: Task, lengths: Sequence[int], rates: Sequence[float], recipe: Recipe) -> Iterator[Trial]:
    """Yield the trials at rising lengths, up to the first at which none of the learning rates passes."""
    for length in lengths:
        for rate in rates:
            trial = run_trial(task, length, rate, recipe)
            yield trial
            if trial.passed:
                break
        else:
            return


def run_trial(task: Task, length: int, rate: float, recipe: Recipe) -> Trial:
    """Train a new network until it passes, diverges, or has had all its steps."""
    drawn, held_out = (torch.Generator().manual_seed(2 * recipe.seed + place) for place in (0, 1))
    judged = task.draw(task.test_length(length), JUDGED_SEQUENCES, held_out)
    trainee = Trainee(task, length, rate, recipe)
    error, clipped = None, 0
    for step in range(1, recipe.steps + 1):
        norm = trainee.learn(task.draw(length, recipe.batch_size, drawn))
        clipped += norm > trainee.clip_norm
        trial = Trial(length, rate, step, error, False, False, clipped / step)
        if not math.isfinite(norm):
            return replace(trial, diverged=True)
        if step % JUDGED_EVERY_STEPS == 0 or step == recipe.steps:
            error = judge(task, trainee.network, judged)
            trial = replace(trial, error=error, passed=error is not None and error < task.limit(length))
            if trial.passed:
                return trial
    return trial


class Trainee:
    """A network with its optimiser and its penalties."""

    def __init__(self, task: Task, length: int, rate: float, recipe: Recipe) -> None:
        """Draw the weights from torch's global generator, seeded by the recipe."""
        spec = recipe.training.model_copy(update={"learning_rate": rate})
        chrono = {"chrono_steps": max(length, SHORTEST_CHRONO)} if recipe.chrono else {}
        torch.manual_seed(recipe.seed)
        self.network = TaskNetwork(task, {**recipe.model, **chrono})
        self.clip_norm = spec.clip_norm or math.inf
        self._task = task
        optimisers = importlib.import_module(f"nextchapter.training.optimisers.{spec.optimiser}")
        self._optimiser: torch.optim.Optimizer = optimisers.build(self.network, spec)
        self._penalties: list[Penalty] = [
            importlib.import_module(name).PENALTY(self.network, spec) for name in spec.ingredients
        ]

    def learn(self, sample: Sample) -> float:
        """Take a step, unless loss or gradient are no finite numbers; return the gradient's norm before clipping."""
        self.network.zero_grad(set_to_none=True)
        loss: Tensor = self._task.loss(self.network(sample.inputs), sample)
        loss.backward()  # type: ignore[no-untyped-call]
        for penalty in self._penalties:
            for parameter, gradient in penalty.gradients(1.0):
                parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient
        norm = clip_gradients(self.network, self.clip_norm)
        if not math.isfinite(loss.item()):
            return math.nan
        if math.isfinite(norm):
            self._optimiser.step()
        return norm


@torch.no_grad()
def judge(task: Task, network: TaskNetwork, sample: Sample) -> float | None:
    """Return the error of a network, or None where it is no finite number."""
    error = task.measure(network(sample.inputs), sample).item()
    return error if math.isfinite(error) else None
