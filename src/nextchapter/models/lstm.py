"""Long short-term memory (Hochreiter and Schmidhuber, 1997), with forget gates (Gers et al., 2000).

i, f, o = sigmoid(W x_t + U h_{t-1} + b), each its own block;  g = tanh(W_g x_t + U_g h_{t-1} + b_g)
c_t = f * c_{t-1} + i * g
h_t = o * tanh(c_t)
"""

from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import AdditiveCell, Cell, RecurrentInit, RecurrentLanguageModel
from nextchapter.spec.models import HiddenMatrixSpec, RecurrentSpec


class LstmSpec(HiddenMatrixSpec):
    """Long short-term memory, Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""

    gates: ClassVar[int] = 4
    biases: ClassVar[int] = 4

    kind: Literal["lstm"] = "lstm"
    """Says which of the families this is."""
    forget_bias: float = 1.0
    """Initial bias of the forget gate; 1 lets gradients pass from the first step on (Jozefowicz et al., 2015)."""
    chrono_steps: Annotated[int, Field(ge=3)] | None = None
    """Draws the biases for dependencies of up to T tokens: b_f = ln U(1, T - 1), b_i = -b_f (Tallec and Ollivier,
    2018); null leaves them to `forget_bias`."""

    @model_validator(mode="after")
    def _one_rule_for_the_forget_bias(self) -> "LstmSpec":
        if self.chrono_steps is not None and self.forget_bias != 1.0:
            msg = f"forget_bias: found {self.forget_bias}; chrono_steps draws this bias, so leave it out"
            raise ValueError(msg)
        return self


class LstmCell(AdditiveCell):
    """One LSTM layer, on torch's fused loop over time; its blocks stand in the order i, f, g, o."""

    states = 2
    gates = 4

    def __init__(
        self,
        inputs: int,
        hidden: int,
        forget_bias: float,
        chrono_steps: int | None = None,
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        """Build the layer with the given bias of the forget gate, or with biases drawn for `chrono_steps`."""
        super().__init__(inputs, hidden, recurrent_init)
        input_bias, forget = self.bias.detach()[: 2 * hidden].chunk(2)
        forget.fill_(forget_bias)
        if chrono_steps is not None:
            forget.uniform_(1, chrono_steps - 1).log_()
            input_bias.copy_(-forget)

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T, c_T)."""
        hidden, memory = state
        outputs, last_hidden, last_memory = torch.lstm(
            inputs, [hidden[None], memory[None]], self._weights, True, 1, 0.0, self.training, False, True
        )
        return outputs, (last_hidden[0], last_memory[0])

    def step_from(
        self, input_terms: Float[Tensor, "batch term"], state: State
    ) -> tuple[Float[Tensor, "batch hidden"], State]:
        """Return h_t of a single step, and (h_t, c_t)."""
        hidden, memory = state
        i, f, g, o = torch.addmm(input_terms, hidden, self.hidden_weight.T).chunk(4, dim=1)
        memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * memory.tanh()
        return hidden, (hidden, memory)

    @property
    def _weights(self) -> list[Tensor]:
        """Weights and biases in torch's order, with a second bias of 0."""
        return [self.input_weight, self.hidden_weight, self.bias, torch.zeros_like(self.bias)]


class Lstm(RecurrentLanguageModel):
    """Language model of stacked LSTM layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one LSTM layer."""
        if not isinstance(spec, LstmSpec):
            raise TypeError(type(spec))
        return LstmCell(inputs, spec.hidden, spec.forget_bias, spec.chrono_steps, spec.recurrent_init)


MODEL, SPEC = Lstm, LstmSpec
