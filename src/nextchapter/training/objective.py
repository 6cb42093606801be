"""What a step lowers: the nats of the targets, or what stands for them while training, and penalties beside them.

Losses and penalties stand in `nextchapter.training.losses` and `nextchapter.training.penalties`, one file each, found
by name: `TrainingSpec.ingredients` says which of them a run has. Without any, the objective is the model's own score.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterator

from jaxtyping import Float, Int
from torch import Tensor, nn

from nextchapter.models.protocol import HiddenLanguageModel, LanguageModel, State, detach_state
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.batches import Batches


class Loss(ABC):
    """What stands for -ln p(target | h_t) while training."""

    @abstractmethod
    def __init__(self, model: HiddenLanguageModel, spec: TrainingSpec, batches: Batches) -> None:
        """Prepare; `batches` tells how frequent tokens are."""

    @abstractmethod
    def __call__(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> tuple[Float[Tensor, "batch time"], Tensor | float]:
        """Return the nats of each target, 0 where it is `IGNORED`, and what is lowered beside their sum."""


class Penalty(ABC):
    """What is lowered beside the nats, or a gradient that is added beside theirs."""

    @abstractmethod
    def __init__(self, model: HiddenLanguageModel, spec: TrainingSpec) -> None:
        """Prepare; a hook may keep what the model's layers return."""

    def charge(self, hidden: Float[Tensor, "batch time hidden"], kept: Tensor) -> Tensor | float:
        """Return the penalty of a forward pass, summed over its places.

        Args:
            hidden: h_t of the last layer, after dropout.
            kept: whether a target stands at a place, [batch time].
        """
        del hidden, kept
        return 0.0

    def gradients(self, share: float) -> Iterator[tuple[nn.Parameter, Tensor]]:
        """Yield gradients that are to be added to those of the loss, after its backward pass.

        Args:
            share: of the streams of the step that the pass was over.
        """
        del share
        yield from ()


class Objective(nn.Module):
    """What one run's steps lower; a module, so that DistributedDataParallel can follow its gradients."""

    def __init__(self, model: LanguageModel, spec: TrainingSpec, batches: Batches) -> None:
        """Load what the specification names; a model without a hidden vector has none of it."""
        super().__init__()
        self._model = model
        self._hidden = model if isinstance(model, HiddenLanguageModel) and spec.ingredients else None
        self._loss: Loss | None = None
        self._penalties: list[Penalty] = []
        if self._hidden is None:
            return
        for name in spec.ingredients:
            module = importlib.import_module(name)
            if hasattr(module, "LOSS"):
                self._loss = module.LOSS(self._hidden, spec, batches)
            else:
                self._penalties.append(module.PENALTY(self._hidden, spec))

    def forward(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], Tensor | float, State]:
        """Return the nats of each target, what is lowered beside their sum, and the state after, without its graph."""
        model = self._hidden
        if model is None:
            nats, state = self._model.score(tokens, targets, state)
            return nats, 0.0, detach_state(state)
        hidden, state = model.read(tokens, state)
        nats, extra = (model.cross_entropy(hidden, targets), 0.0) if self._loss is None else self._loss(hidden, targets)
        for penalty in self._penalties:
            extra = extra + penalty.charge(hidden, targets >= 0)
        return nats, extra, detach_state(state)

    def gradients(self, share: float) -> Iterator[tuple[nn.Parameter, Tensor]]:
        """Yield the gradients of penalties that come from a backward pass; `share` is that of the streams it was of."""
        for penalty in self._penalties:
            yield from penalty.gradients(share)
