"""The training loop: backpropagation through time until a budget, a target loss or patience ends it.

Everything random is a function of (seed, step), and a checkpoint holds all the rest, so a run that was killed and
started again ends, on the same CPU and number of threads, in the same bytes as one that was not.

Several processes may run this loop together, each over its share of the streams of a step (`Processes`): they add up
their gradients and losses, and so hold the same weights and take the same decisions at each step. The first alone
validates, and writes the log and the checkpoints.
"""

import importlib
import logging
import math
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from nextchapter.models.protocol import (
    IGNORED,
    LanguageModel,
    OnlineLearner,
    State,
    detach_state,
    join_states,
    map_state,
    replace_rows,
    split_state,
)
from nextchapter.models.registry import set_weights, weights_of
from nextchapter.models.starting import token_vectors
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.events import EventLog
from nextchapter.training.average import Average, lent_weights
from nextchapter.training.batches import Batch, Batches
from nextchapter.training.checkpoint import CheckpointFile
from nextchapter.training.objective import Objective
from nextchapter.training.parameters import clip_gradients
from nextchapter.training.processes import Processes
from nextchapter.training.progress import Progress
from nextchapter.training.schedules import learning_rate

LOGGER = logging.getLogger(__name__)
StopReason = Literal["budget", "target", "patience"]


class TrainingDivergedError(RuntimeError):
    """The loss or the gradient is no number any more, and going back did not help; the last good checkpoint stays."""


class _NotFiniteError(ArithmeticError):
    """A loss or a gradient is no number; the message says which."""


class InterruptedRunError(RuntimeError):
    """The run was asked to stop (SIGINT or SIGTERM); its checkpoint is written."""


@dataclass
class Counters:
    """Where a run stands."""

    step: int = 0
    """Optimiser steps done."""
    tokens: int = 0
    """Training tokens seen."""
    train_s: float = 0.0
    """Seconds of training steps, over all calls, validation and checkpoints apart."""
    best_valid_nats: float = math.inf
    """Lowest validation loss so far, in nats a token."""
    best_step: int = 0
    """The step at which it was reached."""
    worse_in_a_row: int = 0
    """Validations since."""
    rate_scale: float = 1.0
    """What plateaus and rollbacks have multiplied the learning rate by."""
    rollbacks: int = 0
    """Times that the run diverged and went back to its best weights."""
    stopped_by: StopReason | None = None
    """What ended the run."""


@dataclass
class Window:
    """Sums since the last line of the event log."""

    nats: float = 0.0
    tokens: int = 0
    clipped: int = 0
    steps: int = 0
    gradient_norm: float = 0.0


class Trainer:
    """One run, from its first step or its checkpoint to its end."""

    def __init__(
        self,
        model: LanguageModel,
        batches: Batches,
        validate: Callable[[LanguageModel], float],
        spec: TrainingSpec,
        seed: int,
        events: EventLog | None,
        checkpoints: CheckpointFile,
        progress: Progress,
        processes: Processes | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            model: on the device where it is to be trained.
            batches: what each step reads.
            validate: returns the validation loss of a model, in nats a token.
            spec: how long and how.
            seed: of the dropout masks.
            events: where metrics are written, cut back to the checkpoint; None in all processes but the first.
            checkpoints: where to save.
            progress: where a person looks.
            processes: those that train this run together; None trains it in this one alone.

        Raises:
            ValueError: the model learns without gradients, which are all that several processes share.
        """
        self.processes = processes or Processes()
        if self.processes.count > 1 and isinstance(model, OnlineLearner):
            raise ValueError(f"found {self.processes.count} processes; {type(model).__name__} must be trained by one")
        self.model, self.batches, self.validate, self.spec, self.seed = model, batches, validate, spec, seed
        self.events, self.checkpoints, self.progress = events, checkpoints, progress
        self.optimiser: torch.optim.Optimizer | None = None
        self.average: Average | None = None
        if not isinstance(model, OnlineLearner):
            self._build_optimiser()
        self._objective = Objective(model, spec, batches)
        self._parallel = self.processes.parallel(self._objective)
        self._vectors = token_vectors(model)
        self._frozen_steps = math.inf if spec.embedding_frozen_steps == "all" else spec.embedding_frozen_steps
        self.total_steps = budget_steps(spec, batches)
        self._valid_every_steps = validation_steps(spec, batches)
        self.counters = Counters()
        self.best_weights = _copied_weights(model)
        self._device = model.device
        self._state: State = None  # of this process's streams
        self._streams = 0  # those of the last step, in all processes
        self._window = Window()
        self._last_checkpoint = time.monotonic()

    @property
    def total_tokens(self) -> int:
        """The training tokens of all steps; how many a budget of seconds allows follows from the speed so far."""
        by_steps = self.total_steps * self.batches.tokens_per_epoch / self.batches.steps_per_epoch
        return round(min(by_steps, self.counters.tokens / self._elapsed_share if self._elapsed_share else math.inf))

    @property
    def _elapsed_share(self) -> float:
        """The share of the budget of seconds that is spent."""
        return 0.0 if self.spec.max_seconds is None else self.counters.train_s / self.spec.max_seconds

    @property
    def _budget_spent(self) -> bool:
        return self.counters.step >= self.total_steps or self._elapsed_share >= 1

    def resume(self, checkpoint: dict[str, Any]) -> None:
        """Go on from a checkpoint; that of a finished run holds its result only."""
        self.best_weights = checkpoint["best_weights"]
        self.counters = Counters(**checkpoint["counters"])
        if self.counters.stopped_by is None:
            set_weights(self.model, checkpoint["weights"])
            if self.optimiser is not None:
                self.optimiser.load_state_dict(checkpoint["optimiser"])
            if self.average is not None:
                self.average.load_state_dict(checkpoint["average"])
            self._window = Window(**checkpoint["window"])
            state = self.processes.own_rows(checkpoint["state"])
            self._state = map_state(lambda tensor: tensor.to(self._device), state)

    def run(self) -> Counters:
        """Train to the end; return where the run stands then. The best weights are in `best_weights`.

        Raises:
            TrainingDivergedError: the loss or the gradient norm is not finite, and was so after `rollbacks` new starts.
            InterruptedRunError: SIGINT or SIGTERM came; call again to go on.
        """
        counters = self.counters
        with _stop_requests() as stop_requested:
            while counters.stopped_by is None:
                try:
                    self._train_step()
                    if counters.step % self._valid_every_steps == 0 or self._budget_spent:
                        self._validate()
                except _NotFiniteError as problem:
                    self._roll_back(problem)
                if self._budget_spent and counters.stopped_by is None:
                    counters.stopped_by = "budget"
                due = time.monotonic() - self._last_checkpoint >= self.spec.checkpoint_every_s
                due, stop = self.processes.any(due, stop_requested())
                if due or stop or counters.stopped_by is not None:
                    self._save_checkpoint()
                if stop and counters.stopped_by is None:
                    raise InterruptedRunError(f"stopped at step {counters.step}; call again to go on from there")
        return counters

    def _train_step(self) -> None:
        """Read a batch and learn from it: by the gradient that runs back through it, or as the model itself does."""
        started, counters = time.perf_counter(), self.counters
        batch = self.batches.batch(counters.step)
        torch.manual_seed(step_seed(self.seed, counters.step, self.processes.rank))  # the dropout masks of this step
        rate = learning_rate(counters.step, self.total_steps, self._elapsed_share, self.spec)
        rate *= counters.rate_scale * batch.rate_scale
        counters.step += 1
        self._streams = len(batch.tokens)
        if isinstance(self.model, OnlineLearner):
            nats, self._state = self.model.learn(*self._on_device(batch), self._begin(self._state, batch.fresh))
            loss_nats, gradient_norm = nats.sum().item() / batch.count, 0.0
        else:
            loss_nats, gradient_norm = self._backpropagate(batch)
        if not (math.isfinite(loss_nats) and math.isfinite(gradient_norm)):
            raise _NotFiniteError(f"loss {loss_nats} nats, gradient norm {gradient_norm:.4g}, learning rate {rate:.4g}")
        if self.optimiser is not None:
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.step()
        if self.average is not None:
            self.average.update(self.model)
        counters.tokens += batch.count
        counters.train_s += self.processes.from_first(lambda: time.perf_counter() - started)
        self._record(loss_nats, gradient_norm, rate, batch.count)

    def _on_device(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return the tokens and targets of this process's streams; one that is left without reads one for nothing."""
        tokens, targets = self.processes.own_rows((batch.tokens, batch.targets))
        if not self.processes.has_rows(len(batch.tokens)):
            targets = torch.full_like(targets, IGNORED)
        return tokens.to(self._device), targets.to(self._device)

    def _backpropagate(self, batch: Batch) -> tuple[float, float]:
        """Set the gradients of a batch, part by part, and clip them; return its loss a token, and their norm before.

        They are those of the mean over the targets of all processes, however many of them a process has.
        """
        self.model.zero_grad(set_to_none=True)
        own_tokens, own_targets = self._on_device(batch)
        parts = min(self.spec.micro_batches, max(1, len(batch.tokens) // self.processes.count))  # in all the same
        tokens, targets = own_tokens.tensor_split(parts), own_targets.tensor_split(parts)
        loss_nats, states = 0.0, []
        own_fresh = self.processes.own_rows(batch.fresh)
        carried = [None] * parts if own_fresh.all() else split_state(detach_state(self._state), parts)
        fresh = own_fresh.tensor_split(parts)
        for part in range(parts):
            old = self._begin(carried[part], fresh[part])
            with self.processes.kept_apart(self._parallel) if part < parts - 1 else nullcontext():
                with self._autocast():
                    nats, extra, new = self._parallel(tokens[part], targets[part], old)
                total = nats.float().sum() if self._is_mixed else nats.sum()
                loss = (total + extra) / batch.count
                (loss * self.processes.count).backward()  # of which the mean over the processes is taken
            for parameter, gradient in self._objective.gradients(len(tokens[part]) / len(batch.tokens)):
                total_gradient = self.processes.sum_tensor(gradient)
                parameter.grad = total_gradient if parameter.grad is None else parameter.grad.add_(total_gradient)
            loss_nats += (total.detach() / batch.count).item()
            states.append(map_state(_in_float32, new) if self._is_mixed else new)
        self._state = join_states(states)
        return self.processes.sum(loss_nats), self._clip()

    def _begin(self, carried: State, fresh: Bool[Tensor, " batch"]) -> State:
        """Return the state that a step begins with: in fresh rows the initial one, which may be learned."""
        if not fresh.any():
            return carried
        initial = self.model.initial_state(len(fresh))
        return initial if fresh.all() else replace_rows(carried, fresh.to(self._device), initial)

    @property
    def _is_mixed(self) -> bool:
        """Whether products are computed in another precision than weights and losses are kept in."""
        return self.spec.precision != "float32"

    def _autocast(self) -> torch.autocast:
        """Return the context of a forward pass; bfloat16 has the range of float32, so the loss needs no scale."""
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._is_mixed)

    def _clip(self) -> float:
        """Clip the gradients, those of frozen token vectors taken away; return their global norm before."""
        if self._vectors is not None and self.counters.step <= self._frozen_steps:
            self._vectors.grad = None  # an optimiser passes over what has no gradient, decay included
        return clip_gradients(self.model, self.spec.clip_norm or math.inf)

    def _build_optimiser(self) -> None:
        """Build optimiser and average, which are found by name, as they are at the start of a run."""
        optimiser = importlib.import_module(f"nextchapter.training.optimisers.{self.spec.optimiser}")
        self.optimiser = optimiser.build(self.model, self.spec)
        if self.spec.average is not None:
            average = importlib.import_module(f"nextchapter.training.averages.{self.spec.average.replace('-', '_')}")
            self.average = average.AVERAGE(self.model, self.spec)

    def _roll_back(self, problem: _NotFiniteError) -> None:
        """Go on from the best weights with a new optimiser and half the learning rate; the text goes on as well.

        All of it follows from the steps, so that a run that is killed and resumed rolls back as one that was not.
        """
        counters, kept = self.counters, self.checkpoints.path
        where = f"training diverged at step {counters.step}: {problem}"
        never_good = self._budget_spent and not math.isfinite(counters.best_valid_nats)
        if self.optimiser is None or never_good or counters.rollbacks >= self.spec.rollbacks:
            remedy = "Lower training.learning_rate or set training.clip_norm"
            if self.optimiser is None:
                remedy = "Raise model.pseudo_count"
            left = f"the last good checkpoint stays in {kept}" if kept.is_file() else "no checkpoint was written before"
            raise TrainingDivergedError(f"{where}. {remedy}; {left}") from problem
        counters.rollbacks += 1
        counters.rate_scale /= 2
        set_weights(self.model, self.best_weights)
        self._build_optimiser()
        tokens, _ = self._on_device(self.batches.batch(counters.step))
        self._state = detach_state(self.model.initial_state(len(tokens)))
        LOGGER.warning("%s; goes on from the weights of step %d at half the rate", where, counters.best_step)
        self._log("rollback")

    def _record(self, loss_nats: float, gradient_norm: float, rate: float, tokens: int) -> None:
        """Add a step to the window, and write the window out when it is full."""
        window = self._window
        window.nats += loss_nats * tokens
        window.tokens += tokens
        window.steps += 1
        window.gradient_norm = max(window.gradient_norm, gradient_norm)
        window.clipped += int(self.spec.clip_norm is not None and gradient_norm > self.spec.clip_norm)
        self.progress.update(tokens, loss_nats, self.total_tokens)
        if self.counters.step % self.spec.log_every_steps and not self._budget_spent:
            return
        metrics = {"train/loss_nats": window.nats / window.tokens}
        if self.optimiser is not None:
            metrics |= {
                "train/gradient_norm": window.gradient_norm,
                "train/clipped_share": window.clipped / window.steps,
                "train/learning_rate": rate,
            }
        metrics["system/tokens_per_s"] = self.counters.tokens / self.counters.train_s
        self._log("train", metrics)
        self._window = Window()

    def _log(self, event: str, metrics: Mapping[str, float] | None = None) -> None:
        """Write down what happened, in the process that has the log."""
        if self.events is not None:
            self.events.append(event, self.counters.step, metrics, tokens=self.counters.tokens)

    def _validate(self) -> None:
        """Score the validation chapters, keep the best weights, and see whether that is enough."""
        counters, spec, before = self.counters, self.spec, self.counters.best_valid_nats
        nats = self._judge_weights()
        if nats >= before:
            counters.worse_in_a_row += 1
            if spec.schedule == "plateau":
                counters.rate_scale *= spec.plateau_factor
        metrics = {"valid/loss_nats": nats, "valid/perplexity": math.exp(min(nats, 700.0))}
        self._log("valid", metrics)
        if spec.target_loss_nats is not None and nats <= spec.target_loss_nats:
            counters.stopped_by = "target"
        elif spec.patience is not None and counters.worse_in_a_row >= spec.patience:
            counters.stopped_by = "patience"

    def _judge_weights(self) -> float:
        """Return the least validation loss of the weights and of their averages."""
        own = self._score_validation()
        if self.average is None:
            return own
        averaged = []
        for weights in self.average.candidates():
            with lent_weights(self.model, weights):
                averaged.append(self._score_validation())
        self.average.judge(own, averaged)
        return min([own, *averaged])

    def _score_validation(self) -> float:
        """Return the validation loss of the weights that the model has now; keep them if they are the best so far."""
        counters, nats = self.counters, self.processes.from_first(lambda: self.validate(self.model))
        if not math.isfinite(nats):
            raise _NotFiniteError(f"validation loss {nats} nats")
        if nats < counters.best_valid_nats:
            counters.best_valid_nats, counters.best_step, counters.worse_in_a_row = nats, counters.step, 0
            self.best_weights = _copied_weights(self.model)
        return nats

    def _save_checkpoint(self) -> None:
        """Write all that `resume` reads, by any number of processes, then declare the events up to here final."""
        ended = self.counters.stopped_by is not None
        state = None if ended else self.processes.gather_rows(self._state, self._streams)
        if self.events is not None:
            event_bytes, event_sha256 = self.events.flush()
            content = {
                "best_weights": self.best_weights,
                "counters": asdict(self.counters),
                "event_bytes": event_bytes,
                "event_sha256": event_sha256,
            }
            self.checkpoints.save(content if ended else content | self._moving_parts(state))
            self.events.commit()
        self._last_checkpoint = time.monotonic()

    def _moving_parts(self, state: State) -> dict[str, Any]:
        """Return what the next step of a run that has not ended starts from; `state` is that of all streams."""
        return {
            "weights": weights_of(self.model),
            "optimiser": None if self.optimiser is None else self.optimiser.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "state": state,
            "window": asdict(self._window),
        }


def _copied_weights(model: LanguageModel) -> dict[str, Tensor]:
    """Return weights that do not move on with the model."""
    return {name: tensor.clone() for name, tensor in weights_of(model).items()}


def _in_float32(values: Tensor) -> Tensor:
    """Return numbers in the precision that a state is kept in; tokens, as some states hold them, stay whole numbers."""
    return values.float() if values.is_floating_point() else values


def budget_steps(spec: TrainingSpec, batches: Batches) -> int:
    """Return the step at which the first of the budgets ends; that in seconds sets none."""
    per_token = batches.steps_per_epoch / batches.tokens_per_epoch
    limits = [
        spec.max_steps,
        None if spec.max_tokens is None else math.ceil(spec.max_tokens * per_token),
        None if spec.max_epochs is None else math.ceil(spec.max_epochs * batches.steps_per_epoch),
    ]
    return max(1, min((limit for limit in limits if limit is not None), default=sys.maxsize))


def validation_steps(spec: TrainingSpec, batches: Batches) -> int:
    """Return the number of steps between two validations."""
    if spec.valid_every_epochs is None:
        return spec.valid_every_steps
    return max(1, round(spec.valid_every_epochs * batches.steps_per_epoch))


def step_seed(seed: int, step: int, process: int = 0) -> int:
    """Return the seed of a step's dropout masks; neighbouring seeds, steps and processes share none."""
    mixed = (seed * 0x9E3779B97F4A7C15 + step * 0xBF58476D1CE4E5B9 + (process + 1) * 0x94D049BB133111EB) % 2**64
    mixed ^= mixed >> 31
    return (mixed * 0xD6E8FEB86659FD93) % 2**63


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGINT or SIGTERM came; a step is never cut in two."""
    seen: list[int] = []
    previous = {
        number: signal.signal(number, lambda received, _: seen.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
