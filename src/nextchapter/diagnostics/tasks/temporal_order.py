"""The temporal order problem (Hochreiter and Schmidhuber, 1997, experiment 6a; as in Pascanu et al., 2013).

Among distractors c, d, e, f stand two symbols, each A or B: one in the second tenth of the sequence, one in the fifth.
The answer is which they were, in their order: AA, AB, BA or BB.
"""

import torch
from torch.nn import functional

from nextchapter.diagnostics.tasks.task import Sample, Task

DISTRACTORS = 4


class TemporalOrder(Task):
    """Which two symbols came, and in which order, as one of four classes after the last step."""

    inputs = 2 + DISTRACTORS
    outputs = 4
    error = "share of wrong answers"

    def draw(self, length: int, batch: int, generator: torch.Generator) -> Sample:
        """Return random sequences and the classes."""
        read = torch.randint(2, self.inputs, (batch, length), generator=generator)
        symbols = torch.randint(2, (batch, 2), generator=generator)
        rows = torch.arange(batch)
        for symbol, (first, end) in zip(symbols.T, ((1, 2), (4, 5)), strict=True):
            places = torch.randint(first * length // 10, end * length // 10, (batch,), generator=generator)
            read[rows, places] = symbol
        classes = symbols @ torch.tensor([[2], [1]])
        return Sample(functional.one_hot(read, self.inputs).float(), classes)

    def limit(self, length: int) -> float:
        """Return 0.01, as Pascanu et al. do."""
        del length
        return 0.01

    def chance(self, length: int) -> float:
        """Return 3/4: one of four classes is guessed."""
        del length
        return 0.75


TASK = TemporalOrder()
