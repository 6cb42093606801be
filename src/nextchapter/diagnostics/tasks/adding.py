"""The adding problem (Hochreiter and Schmidhuber, 1997, experiment 4; in the form of Le et al., 2015, section 4.1).

    x_t = (a number from U(0, 1), 1 where it is marked and 0 elsewhere);  the answer: the sum of the two marked numbers

One of the marks stands in the first half, the other in the second.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from nextchapter.diagnostics.tasks.task import Sample, Task


class Adding(Task):
    """Sum of two marked numbers, as a value after the last step."""

    inputs = 2
    outputs = 1
    error = "mean squared error"

    def draw(self, length: int, batch: int, generator: torch.Generator) -> Sample:
        """Return random sequences and sums."""
        numbers = torch.rand(batch, length, generator=generator)
        half, rows = length // 2, torch.arange(batch)
        marks = torch.zeros(batch, length)
        marks[rows, torch.randint(half, (batch,), generator=generator)] = 1
        marks[rows, torch.randint(half, length, (batch,), generator=generator)] = 1
        return Sample(torch.stack([numbers, marks], dim=2), (numbers * marks).sum(dim=1))

    def limit(self, length: int) -> float:
        """Return 0.01, well below chance; Hochreiter and Schmidhuber train to 0.01 of a target scaled to a quarter."""
        del length
        return 0.01

    def chance(self, length: int) -> float:
        """Return 1/6, the variance of the sum: the error of always answering 1. Le et al. print 0.1767."""
        del length
        return 1 / 6

    def loss(self, outputs: Float[Tensor, "batch time output"], sample: Sample) -> Float[Tensor, ""]:
        """Return the mean squared error of the last output."""
        return (outputs[:, -1, 0] - sample.targets).square().mean()

    def measure(self, outputs: Float[Tensor, "batch time output"], sample: Sample) -> Float[Tensor, ""]:
        """Return the mean squared error of the last output."""
        return self.loss(outputs, sample)


TASK = Adding()
