"""The gradient lab: how far back networks learn, and why not further."""

from nextchapter.spec.base import Spec
from nextchapter.spec.tasks import TasksSpec


class GradientLabSpec(Spec):
    """How far back networks learn, and why not further."""

    tasks: TasksSpec | None = TasksSpec()
    """Synthetic memory tasks; null leaves them out."""
