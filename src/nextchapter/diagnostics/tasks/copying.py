"""The copying memory task (Hochreiter and Schmidhuber, 1997; in the form of Arjovsky et al., 2016, section 4.1).

Ten symbols out of eight kinds, T - 1 blanks, a sign to begin, ten blanks; the answer is blank for T + 10 steps, and
then the ten symbols in their order.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nextchapter.diagnostics.tasks.task import Sample, Task

KINDS, COPIED = 8, 10
BLANK, BEGIN = KINDS, KINDS + 1


class Copying(Task):
    """Ten symbols, said again after T blanks."""

    inputs = KINDS + 2
    outputs = KINDS + 1
    error = "nats a step"

    def draw(self, length: int, batch: int, generator: torch.Generator) -> Sample:
        """Return random sequences of T + 20 steps, and what is to be said at each."""
        symbols = torch.randint(KINDS, (batch, COPIED), generator=generator)
        read = torch.full((batch, length + 2 * COPIED), BLANK)
        read[:, :COPIED] = symbols
        read[:, -COPIED - 1] = BEGIN
        said = torch.full_like(read, BLANK)
        said[:, -COPIED:] = symbols
        return Sample(functional.one_hot(read, self.inputs).float(), said)

    def limit(self, length: int) -> float:
        """Return nine tenths of the error without memory: as if one of the ten symbols was remembered."""
        return 0.9 * self.chance(length)

    def chance(self, length: int) -> float:
        """Return 10 ln 8 / (T + 20): blanks where they belong, and a blind guess for each symbol."""
        return COPIED * math.log(KINDS) / (length + 2 * COPIED)

    def measure(self, outputs: Float[Tensor, "batch time output"], sample: Sample) -> Float[Tensor, ""]:
        """Return the nats of an answer."""
        return self.loss(outputs, sample)


TASK = Copying()
