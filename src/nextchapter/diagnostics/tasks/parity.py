"""Parity: whether the number of ones so far is odd (Minsky and Papert, 1969; lately Delétang et al., 2023).

A network answers at each step while it learns, and is judged by the last answer to sequences twice as long: it must
have found the rule of two states, and not a table of the sums that occurred.
"""

import torch
from torch.nn import functional

from nextchapter.diagnostics.tasks.task import Sample, Task


class Parity(Task):
    """Parity of the bits read so far, as one of two classes at each step."""

    inputs = 2
    outputs = 2
    error = "share of wrong answers"

    def draw(self, length: int, batch: int, generator: torch.Generator) -> Sample:
        """Return random bits, and the parity after each of them."""
        bits = torch.randint(2, (batch, length), generator=generator)
        return Sample(functional.one_hot(bits, self.inputs).float(), bits.cumsum(dim=1) % 2)

    def test_length(self, length: int) -> int:
        """Return twice the length."""
        return 2 * length

    def limit(self, length: int) -> float:
        """Return 0.1: Delétang et al. call a task solved at an accuracy of 90 % on lengths beyond those trained on."""
        del length
        return 0.1

    def chance(self, length: int) -> float:
        """Return 1/2."""
        del length
        return 0.5


TASK = Parity()
