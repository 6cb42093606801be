"""The gated recurrent unit (Cho et al., 2014), in the form of torch and cuDNN.

r, z = sigmoid(W x_t + U h_{t-1} + b), each its own block
n    = tanh(W_n x_t + b_n + r * (U_n h_{t-1} + c_n))
h_t  = (1 - z) * n + z * h_{t-1}
"""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import AdditiveCell, Cell, RecurrentInit, RecurrentLanguageModel
from nextchapter.spec.models import HiddenMatrixSpec, RecurrentSpec


class GruSpec(HiddenMatrixSpec):
    """The gated recurrent unit of Cho et al. (2014)."""

    gates: ClassVar[int] = 3
    biases: ClassVar[int] = 4

    kind: Literal["gru"] = "gru"
    """Says which of the families this is."""


class GruCell(AdditiveCell):
    """One GRU layer, on torch's fused loop over time; its blocks stand in the order r, z, n."""

    gates = 3

    def __init__(self, inputs: int, hidden: int, recurrent_init: RecurrentInit = "uniform") -> None:
        """Build the layer; c_n, the bias inside the reset gate's product, starts at 0 like the others."""
        super().__init__(inputs, hidden, recurrent_init)
        self.candidate_bias = nn.Parameter(torch.zeros(hidden))

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T,)."""
        (hidden,) = state
        outputs, last = torch.gru(inputs, hidden[None], self._weights, True, 1, 0.0, self.training, False, True)
        return outputs, (last[0],)

    def step_from(
        self, input_terms: Float[Tensor, "batch term"], state: State
    ) -> tuple[Float[Tensor, "batch hidden"], State]:
        """Return h_t of a single step, and (h_t,)."""
        (hidden,) = state
        r_x, z_x, n_x = input_terms.chunk(3, dim=1)
        r_h, z_h, n_h = (hidden @ self.hidden_weight.T).chunk(3, dim=1)
        r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
        n = torch.tanh(n_x + r * (n_h + self.candidate_bias))
        hidden = (1 - z) * n + z * hidden
        return hidden, (hidden,)

    @property
    def _weights(self) -> list[Tensor]:
        """Weights and biases in torch's order; its second bias adds to W_h h_{t-1}."""
        second_bias = torch.cat([self.bias.new_zeros(2 * self.hidden), self.candidate_bias])
        return [self.input_weight, self.hidden_weight, self.bias, second_bias]


class Gru(RecurrentLanguageModel):
    """Language model of stacked GRU layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one GRU layer."""
        if not isinstance(spec, GruSpec):
            raise TypeError(type(spec))
        return GruCell(inputs, spec.hidden, spec.recurrent_init)


MODEL, SPEC = Gru, GruSpec
