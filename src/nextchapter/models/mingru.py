"""The minimal gated recurrent unit (Feng et al., 2024, section 3.1): a GRU whose gate and candidate read x_t alone.

z_t  = sigmoid(W_z x_t + b_z)
h~_t = W_h x_t + b_h
h_t  = (1 - z_t) * h_{t-1} + z_t * h~_t
"""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from nextchapter.models.input_gated import InputGatedCell, from_last_step
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.spec.models import InputGatedSpec, RecurrentSpec


class MinGruSpec(InputGatedSpec):
    """The minimal gated recurrent unit of Feng et al. (2024), which trains more than three times as fast as a GRU."""

    gates: ClassVar[int] = 2
    biases: ClassVar[int] = 2

    kind: Literal["mingru"] = "mingru"
    """Says which of the families this is."""


class MinGruLoop(Function):
    """The loop over time, and its gradient.

    g_t      = dL/dh_t = dL_t/dh_t + (1 - z_{t+1}) g_{t+1}
    dL/dh~_t = z_t g_t
    dL/da_t  = (1 - z_t) g_t * (h_t - h_{t-1})        z_t = sigmoid(a_t), h_t - h_{t-1} = z_t (h~_t - h_{t-1})

    So no candidate need be kept. Where z_t is nearly 0 the difference of two states loses digits: at a_t = -12 the
    gradient, itself e^-12 of what it is elsewhere, is off by a thousandth in single precision (measured).
    """

    @staticmethod
    def forward(ctx: Any, preactivations: Tensor, start: Tensor) -> Tensor:
        """Return h_t [time batch hidden] from a_t and h~_t, side by side [time batch 2*hidden], and h_0."""
        logits, candidates = preactivations.chunk(2, dim=-1)
        gates = torch.sigmoid(logits)
        outputs = torch.empty_like(gates)
        hidden = start
        for gate, candidate, output in zip(gates, candidates, outputs, strict=True):
            hidden = torch.lerp(hidden, candidate, gate, out=output)
        ctx.save_for_backward(gates, outputs, start)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradients: Tensor) -> tuple[Tensor, Tensor]:
        """Return dL/d(a_t, h~_t) and dL/dh_0."""
        gates, outputs, start = ctx.saved_tensors
        preactivation_gradients = gates.new_empty(*gates.shape[:2], 2 * gates.shape[2])
        for_logits, for_candidates = preactivation_gradients.chunk(2, dim=-1)
        total, carried = torch.empty_like(start), torch.zeros_like(start)
        for gradient, gate, before, after, for_logit, for_candidate in from_last_step(
            gradients, gates, (start, *outputs[:-1]), outputs, for_logits, for_candidates
        ):
            torch.add(gradient, carried, out=total)
            torch.mul(total, gate, out=for_candidate)
            torch.sub(total, for_candidate, out=carried)
            torch.sub(after, before, out=for_logit).mul_(carried)
        return preactivation_gradients, carried


class MinGruCell(InputGatedCell):
    """One layer; its blocks stand in the order z, h~."""

    gates = 2

    def loop(
        self, preactivations: Float[Tensor, "time batch row"], start: Float[Tensor, "batch hidden"]
    ) -> Float[Tensor, "time batch hidden"]:
        """Return h_t for each step from the pre-activations of gate and candidate."""
        outputs: Tensor = MinGruLoop.apply(preactivations, start)  # type: ignore[no-untyped-call]
        return outputs

    def gate_and_candidate(
        self, preactivations: Float[Tensor, "batch row"]
    ) -> tuple[Float[Tensor, "batch hidden"], Float[Tensor, "batch hidden"]]:
        """Return z_t and h~_t of one step."""
        logit, candidate = preactivations.chunk(2, dim=-1)
        return torch.sigmoid(logit), candidate


class MinGru(RecurrentLanguageModel):
    """Language model of stacked minimal gated recurrent units."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one layer."""
        return MinGruCell(inputs, spec.hidden)


MODEL, SPEC = MinGru, MinGruSpec
