"""Synthetic memory tasks: how long a gap networks learn to bridge."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from nextchapter.spec.base import Name, Positive, Spec
from nextchapter.spec.families import ModelSpec
from nextchapter.spec.models import RecurrentSpec

Rates = Annotated[tuple[Annotated[float, Field(gt=0, le=10)], ...], Field(min_length=1)]

TASKS = ("adding", "copying", "temporal_order", "parity")
"""Names of the tasks: keys of `TasksSpec`, and modules of `nextchapter.diagnostics.tasks`."""
SHORTEST_TEMPORAL_ORDER = 10
"""Its symbols stand in given tenths of a sequence."""


class LadderSpec(Spec):
    """The lengths at which a task is tried, one after the other until a network fails, and what a trial may take."""

    lengths: Annotated[tuple[Annotated[int, Field(ge=2, le=10_000)], ...], Field(min_length=1)]
    """Steps of a sequence, rising; of `copying` the blanks between what is read and what is said."""
    steps: Positive = 1000
    """Most training steps of a trial; it ends as soon as the network passes."""

    @model_validator(mode="after")
    def _lengths_rise(self) -> "LadderSpec":
        if list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(f"lengths: found {list(self.lengths)}; each must be above the one before")
        return self


class TaskNetworkSpec(Spec):
    """A network that takes the tasks: cell, initialisation and remedy."""

    model: ModelSpec
    """A recurrent family, as in `runs`, one layer of it; width, embedding and dropout are the tasks'."""
    chrono: bool = False
    """Draws the gate biases of an `lstm` for memories as long as the sequences (`chrono_steps`)."""
    optimiser: Literal["adamw", "sgd"] = "adamw"
    """What moves the weights; there is no weight decay."""
    learning_rates: Rates | None = None
    """Rates of its own; null takes those of all."""
    clip_norm: Annotated[float, Field(gt=0)] | None = 1.0
    """Largest global gradient norm (Pascanu et al., 2013); null does not clip."""
    omega: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the regulariser against vanishing gradients (Pascanu et al., 2013, eq. 9), for the kind `elman`."""

    @model_validator(mode="after")
    def _model_fits(self) -> "TaskNetworkSpec":
        kind, is_recurrent = self.model.kind, isinstance(self.model, RecurrentSpec)
        if not is_recurrent:
            raise ValueError(f"model.kind: found {kind!r}; a memory task needs a recurrent network, such as lstm")
        if self.chrono and kind != "lstm":
            raise ValueError(f"chrono: found true with a model of the kind {kind}; only lstm has such biases")
        if self.omega and kind != "elman":
            raise ValueError(f"omega: found {self.omega} with a model of the kind {kind}; only elman has this penalty")
        return self


def _default_networks() -> dict[Name, TaskNetworkSpec]:
    networks: dict[str, dict[str, Any]] = {
        "tanh": {"model": {"kind": "elman"}},
        "lstm": {"model": {"kind": "lstm"}},
        "lstm-chrono": {"model": {"kind": "lstm"}, "chrono": True},
    }
    return {name: TaskNetworkSpec.model_validate(network) for name, network in networks.items()}


class TasksSpec(Spec):
    """Synthetic memory tasks; pass rules and their sources: docs/memory-tasks.md. A task that is null is left out."""

    adding: LadderSpec | None = None
    """The sum of two marked numbers."""
    copying: LadderSpec | None = None
    """Ten symbols, to be said again after a gap."""
    temporal_order: LadderSpec | None = LadderSpec(lengths=(10, 20, 50, 100), steps=500)
    """Which two symbols came, and in which order."""
    parity: LadderSpec | None = None
    """Whether the number of ones so far is odd."""
    networks: Annotated[dict[Name, TaskNetworkSpec], Field(min_length=1)] = Field(default_factory=_default_networks)
    """Who takes the tasks, by name."""
    hidden: Annotated[int, Field(ge=1, le=1024)] = 64
    """Width of the hidden state of each network."""
    batch_size: Positive = 32
    """Sequences of a training step, each of them new."""
    learning_rates: Rates = (0.01, 0.003)
    """Tried one after the other at each length, until one of them passes."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Seed of weights and sequences."""

    @model_validator(mode="after")
    def _something_is_asked(self) -> "TasksSpec":
        if not self.ladders:
            raise ValueError(f"found no task; give lengths to one of {', '.join(TASKS)}, or let tasks be null")
        order = self.temporal_order
        if order is not None and order.lengths[0] < SHORTEST_TEMPORAL_ORDER:
            found = f"temporal_order.lengths: found {order.lengths[0]}"
            raise ValueError(f"{found}; its symbols stand in tenths, so it must be at least {SHORTEST_TEMPORAL_ORDER}")
        return self

    def trials_of(self, task: str, network: str) -> dict[str, Any]:
        """Return all that decides what becomes of a network in a task, as plain values."""
        ladder, contender = self.ladders[task], self.networks[network]
        return {
            "task": task,
            "network": network,
            "lengths": ladder.lengths,
            "steps": ladder.steps,
            "model": {**contender.model.model_dump(mode="json"), "hidden": self.hidden},
            "training": contender.model_dump(mode="json", include={"optimiser", "clip_norm", "omega"}),
            "chrono": contender.chrono,
            "learning_rates": contender.learning_rates or self.learning_rates,
            "batch_size": self.batch_size,
            "seed": self.seed,
        }

    @property
    def ladders(self) -> dict[str, LadderSpec]:
        """The tasks that are not left out, by name."""
        return {name: ladder for name in TASKS if (ladder := getattr(self, name)) is not None}
