"""The gradient lab: how far back networks learn, and why not further."""

from typing import Annotated

from pydantic import Field

from nextchapter.spec.base import Spec
from nextchapter.spec.tasks import TasksSpec


class GradientsSpec(Spec):
    """How the recurrent networks of the study are looked into: gradients by lag, step Jacobians, gates, clipping."""

    lags: Annotated[int, Field(ge=2, le=2000)] = 128
    """Most tokens back at which the gradient of a loss is measured."""
    windows: Annotated[int, Field(ge=1, le=4096)] = 32
    """Places in the test text over which gradients and gates are averaged."""
    jacobian_places: Annotated[int, Field(ge=1, le=256)] = 2
    """Of these, places at which the Jacobian of a step is taken; each costs up to a second for 400 hidden units."""
    clipping_steps: Annotated[int, Field(ge=2, le=100_000)] = 120
    """Training steps of the small ReLU network that is trained with clipped gradients and without."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Of the cells that the study has no run of, and of the small ReLU network."""


class GradientLabSpec(Spec):
    """How far back networks learn, and why not further."""

    gradients: GradientsSpec | None = GradientsSpec()
    """Gradients through time; null leaves them out."""
    tasks: TasksSpec | None = TasksSpec()
    """Synthetic memory tasks; null leaves them out."""
