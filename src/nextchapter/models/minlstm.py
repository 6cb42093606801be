"""The minimal LSTM (Feng et al., 2024, section 3.2): gates of x_t alone, which share out 1 between old and new.

f_t, i_t = sigmoid(W x_t + b), each its own block;  h~_t = W_h x_t + b_h
h_t      = f'_t * h_{t-1} + i'_t * h~_t             f'_t = f_t / (f_t + i_t),  i'_t = i_t / (f_t + i_t)
"""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import functional

from nextchapter.models.input_gated import InputGatedCell, from_last_step
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.spec.models import InputGatedSpec, RecurrentSpec

LOGIT_MIN = -80.0
"""Below this, f_t + i_t would be 0 in single precision; e^-80 of a gate is nothing beside any other."""


class MinLstmSpec(InputGatedSpec):
    """The minimal LSTM of Feng et al. (2024), which trains about twice as fast as an LSTM."""

    gates: ClassVar[int] = 3
    biases: ClassVar[int] = 3

    kind: Literal["minlstm"] = "minlstm"
    """Says which of the families this is."""
    forget_bias: float = 1.0
    """Initial bias of the forget gate; the higher it is, the longer is remembered at first."""


class MinLstmLoop(Function):
    """The loop over time, and its gradient.

    g_t      = dL/dh_t = dL_t/dh_t + f'_{t+1} g_{t+1}
    dL/dh~_t = i'_t g_t
    dL/da_t  = (1 - i_t) f'_t g_t * (h_t - h_{t-1})    i_t = sigmoid(a_t), h_t - h_{t-1} = i'_t (h~_t - h_{t-1})
    dL/db_t  = -(1 - f_t) f'_t g_t * (h_t - h_{t-1})   f_t = sigmoid(b_t)

    The difference of two states loses digits where i'_t is nearly 0; see `MinGruLoop`.
    """

    @staticmethod
    def forward(ctx: Any, preactivations: Tensor, start: Tensor) -> Tensor:
        """Return h_t [time batch hidden] from b_t, a_t and h~_t, side by side [time batch 3*hidden], and h_0."""
        hidden_size = start.shape[1]
        logits, candidates = preactivations[..., : 2 * hidden_size], preactivations[..., 2 * hidden_size :]
        gates, shares, outputs = (preactivations.new_empty(part.shape) for part in (logits, candidates, candidates))
        hidden = start
        for logit, gate, share, candidate, output in zip(logits, gates, shares, candidates, outputs, strict=True):
            forget, take = torch.clamp(logit, min=LOGIT_MIN, out=gate).sigmoid_().chunk(2, dim=-1)
            torch.div(take, torch.add(forget, take, out=share), out=share)
            hidden = torch.lerp(hidden, candidate, share, out=output)
        ctx.save_for_backward(gates, shares, outputs, start)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, Tensor]:
        """Return dL/d(b_t, a_t, h~_t) and dL/dh_0."""
        gates, shares, outputs, start = ctx.saved_tensors
        preactivation_gradients = shares.new_empty(*shares.shape[:2], 3 * shares.shape[2])
        total, slope, carried = torch.empty_like(start), torch.empty_like(start), torch.zeros_like(start)
        for gradient, gate, share, before, after, for_blocks in from_last_step(
            gradients, gates, shares, (start, *outputs[:-1]), outputs, preactivation_gradients
        ):
            forget, take = gate.chunk(2, dim=-1)
            for_forget, for_take, for_candidate = for_blocks.chunk(3, dim=-1)
            torch.add(gradient, carried, out=total)
            torch.mul(total, share, out=for_candidate)
            torch.sub(total, for_candidate, out=carried)
            torch.sub(after, before, out=slope).mul_(carried)
            torch.addcmul(slope, slope, take, value=-1, out=for_take)
            torch.mul(slope, forget, out=for_forget).sub_(slope)
        return preactivation_gradients, carried


class MinLstmCell(InputGatedCell):
    """One layer; its blocks stand in the order f, i, h~."""

    gates = 3

    def __init__(self, inputs: int, hidden: int, forget_bias: float) -> None:
        """Build the layer with the given bias of the forget gate."""
        super().__init__(inputs, hidden)
        with torch.no_grad():
            self.bias[:hidden] = forget_bias

    def loop(
        self, preactivations: Float[Tensor, "time batch row"], start: Float[Tensor, "batch hidden"]
    ) -> Float[Tensor, "time batch hidden"]:
        """Return h_t for each step from the pre-activations of gates and candidate."""
        outputs: Tensor = MinLstmLoop.apply(preactivations, start)  # type: ignore[no-untyped-call]
        return outputs

    def gate_and_candidate(
        self, preactivations: Float[Tensor, "batch row"]
    ) -> tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch hidden"]]:
        """Return i'_t = sigmoid(ln i_t - ln f_t) and h~_t of one step."""
        forget, take, candidate = preactivations.chunk(3, dim=-1)
        forget, take = forget.clamp(min=LOGIT_MIN), take.clamp(min=LOGIT_MIN)  # as in the loop
        return torch.sigmoid(functional.logsigmoid(take) - functional.logsigmoid(forget)), candidate


class MinLstm(RecurrentLanguageModel):
    """Language model of stacked minimal LSTM layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one layer."""
        if not isinstance(spec, MinLstmSpec):
            raise TypeError(type(spec))
        return MinLstmCell(inputs, spec.hidden, spec.forget_bias)


MODEL, SPEC = MinLstm, MinLstmSpec
