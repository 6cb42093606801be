"""The simple recurrent network (Elman, 1990): h_t = f(W_xh x_t + W_hh h_{t-1} + b_h), f = tanh, ReLU or sigmoid."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import AdditiveCell, Cell, RecurrentInit, RecurrentLanguageModel
from nextchapter.spec.models import HiddenMatrixSpec, RecurrentSpec


class ElmanSpec(HiddenMatrixSpec):
    """The simple recurrent network of Elman (1990)."""

    kind: Literal["elman"] = "elman"
    """Says which of the families this is."""
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The non-linearity of the hidden state."""

    @model_validator(mode="after")
    def _identity_keeps_the_state(self) -> "ElmanSpec":
        if self.recurrent_init == "identity" and self.activation == "sigmoid":
            raise ValueError(
                "recurrent_init: found 'identity', which keeps a state with activation relu or tanh; found 'sigmoid'"
            )
        return self


class ElmanCell(AdditiveCell):
    """One layer of simple recurrence, on torch's fused loop over time."""

    def __init__(
        self,
        inputs: int,
        hidden: int,
        activation: Literal["tanh", "relu", "sigmoid"],
        recurrent_init: RecurrentInit = "uniform",
    ) -> None:
        """Build the layer with the activation f."""
        super().__init__(inputs, hidden, recurrent_init)
        self.activation = activation

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T,).

        The sigmoid network is run as the tanh network that it is: with g = 2 h - 1, sigmoid(a) = (1 + tanh(a / 2)) / 2
        gives g_t = tanh(W_xh x_t / 2 + W_hh g_{t-1} / 4 + b_h / 2 + W_hh 1 / 4).
        """
        (hidden,) = state
        if self.activation == "sigmoid":
            row_sums = self.hidden_weight.sum(dim=1)
            scaled, last = _fused_loop(
                torch.rnn_tanh,
                self.training,
                inputs,
                2 * hidden - 1,
                self.input_weight / 2,
                self.hidden_weight / 4,
                self.bias / 2 + row_sums / 4,
            )
            return (scaled + 1) / 2, ((last + 1) / 2,)
        loop: Callable[..., tuple[Tensor, Tensor]] = torch.rnn_tanh if self.activation == "tanh" else torch.rnn_relu
        outputs, last = _fused_loop(
            loop, self.training, inputs, hidden, self.input_weight, self.hidden_weight, self.bias
        )
        return outputs, (last,)

    def step_from(
        self, input_terms: Float[Tensor, "batch term"], state: State
    ) -> tuple[Float[Tensor, "batch hidden"], State]:
        """Return h_t of a single step, and (h_t,)."""
        activate: Callable[[Tensor], Tensor] = getattr(torch, self.activation)
        hidden = activate(torch.addmm(input_terms, state[0], self.hidden_weight.T))
        return hidden, (hidden,)


def _fused_loop(
    loop: Callable[..., tuple[Tensor, Tensor]], training: bool, inputs: Tensor, hidden: Tensor, *weights: Tensor
) -> tuple[Tensor, Tensor]:
    """Run one of torch's simple recurrent layers; return h_t for all steps [batch time hidden] and the last h."""
    with_second_bias = [*weights, torch.zeros_like(weights[-1])]
    outputs, last = loop(inputs, hidden[None], with_second_bias, True, 1, 0.0, training, False, True)
    return outputs, last[0]


class Elman(RecurrentLanguageModel):
    """Language model of stacked Elman layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one Elman layer."""
        if not isinstance(spec, ElmanSpec):
            raise TypeError(type(spec))
        return ElmanCell(inputs, spec.hidden, spec.activation, spec.recurrent_init)


MODEL, SPEC = Elman, ElmanSpec
