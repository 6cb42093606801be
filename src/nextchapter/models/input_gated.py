"""What the minimal cells share (Feng et al., 2024): gates and candidates that are functions of x_t alone.

    h_t = (1 - z_t) * h_{t-1} + z_t * h~_t

No matrix stands between two steps, so one product gives gates and candidates of all steps at once, and the loop over
time is elementwise. Each family's loop is an autograd function over pre-activations [time batch rows] with its own
backward pass; its `step` has the equations as they are.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import AdditiveCell


class InputGatedCell(AdditiveCell):
    """One layer without W_hh; a family gives its loop over time, and a single step as the reference for it."""

    def __init__(self, inputs: int, hidden: int) -> None:
        """Draw W_xh from U(-1/sqrt(hidden), 1/sqrt(hidden)); biases start at 0."""
        super().__init__(inputs, hidden, recurrent_init=None)

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T,).

        The outputs are a view of [time batch hidden], which the next layer turns back without a copy.
        """
        outputs = self.loop(functional.linear(inputs.transpose(0, 1), self.input_weight, self.bias), state[0])
        return outputs.transpose(0, 1), (outputs[-1],)

    def step_from(
        self, input_terms: Float[Tensor, "batch term"], state: State
    ) -> tuple[Float[Tensor, "batch hidden"], State]:
        """Return h_t of a single step, and (h_t,)."""
        gate, candidate = self.gate_and_candidate(input_terms)
        hidden = torch.lerp(state[0], candidate, gate)
        return hidden, (hidden,)

    @abstractmethod
    def loop(
        self, preactivations: Float[Tensor, "time batch row"], start: Float[Tensor, "batch hidden"]
    ) -> Float[Tensor, "time batch hidden"]:
        """Return h_t for each step from the pre-activations of gates and candidate."""

    @abstractmethod
    def gate_and_candidate(
        self, preactivations: Float[Tensor, "batch row"]
    ) -> tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch hidden"]]:
        """Return z_t, or what takes its place, and h~_t of one step."""


def from_last_step(*parts: Iterable[Tensor]) -> Iterator[tuple[Tensor, ...]]:
    """Yield the parts of each step together, from the last step to the first."""
    return zip(*(tuple(part)[::-1] for part in parts), strict=True)
