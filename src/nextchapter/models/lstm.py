"""Long short-term memory (Hochreiter and Schmidhuber, 1997), with forget gates (Gers et al., 2000).

i, f, o = sigmoid(W x_t + U h_{t-1} + b), each its own block;  g = tanh(W_g x_t + U_g h_{t-1} + b_g)
c_t = f * c_{t-1} + i * g
h_t = o * tanh(c_t)
"""

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.spec.models import RecurrentSpec


class LstmSpec(RecurrentSpec):
    """Long short-term memory, Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""

    gates: ClassVar[int] = 4
    biases: ClassVar[int] = 4

    kind: Literal["lstm"] = "lstm"
    """Says which of the families this is."""
    forget_bias: float = 1.0
    """Initial bias of the forget gate; 1 lets gradients pass from the first step on (Jozefowicz et al., 2015)."""


class LstmCell(Cell):
    """One LSTM layer, on torch's fused loop over time; its blocks stand in the order i, f, g, o."""

    states = 2
    gates = 4

    def __init__(self, inputs: int, hidden: int, forget_bias: float) -> None:
        """Build the layer with the given bias of the forget gate."""
        super().__init__(inputs, hidden)
        with torch.no_grad():
            self.bias[hidden : 2 * hidden] = forget_bias

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T, c_T)."""
        hidden, memory = state
        weights = [self.input_weight, self.hidden_weight, self.bias, torch.zeros_like(self.bias)]
        outputs, last_hidden, last_memory = torch.lstm(
            inputs, [hidden[None], memory[None]], weights, True, 1, 0.0, self.training, False, True
        )
        return outputs, (last_hidden[0], last_memory[0])


class Lstm(RecurrentLanguageModel):
    """Language model of stacked LSTM layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one LSTM layer."""
        return LstmCell(inputs, spec.hidden, spec.forget_bias if isinstance(spec, LstmSpec) else 1.0)


MODEL, SPEC = Lstm, LstmSpec
