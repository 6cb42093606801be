"""sLSTM, the scalar cell of xLSTM (Beck et al., 2024, arXiv 2405.04517): exponential gates, a normaliser, a stabiliser.

z_t = tanh(W_z x_t + R_z h_{t-1} + b_z)                  o_t = sigmoid(W_o x_t + R_o h_{t-1} + b_o)      (11, 14)
ln i_t = W_i x_t + R_i h_{t-1} + b_i                     ln f_t = ln sigmoid(a) or a, a as for i_t       (12, 13)
m_t = max(ln f_t + m_{t-1}, ln i_t)                                                                      (15)
i'_t = exp(ln i_t - m_t)                                 f'_t = exp(ln f_t + m_{t-1} - m_t)              (16, 17)
c_t = f'_t * c_{t-1} + i'_t * z_t                        n_t = f'_t * n_{t-1} + i'_t                     (8, 9)
h_t = o_t * c_t / n_t                                                                                    (10)

Nothing is there to be kept before the first token: c_0 = n_0 = 0 and m_0 = ln 0 = -inf. From then on one of i' and f'
is 1 and the other at most 1, so that n_t >= 1 and |c_t| <= n_t, however large the pre-activations are.
"""

from typing import Annotated, Any, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.models.time_loop import right_factor, times_complement
from nextchapter.spec.models import RecurrentMatrixSpec, RecurrentSpec, Weights


class SlstmSpec(RecurrentMatrixSpec):
    """The sLSTM of Beck et al. (2024), with exponential gates."""

    gates: ClassVar[int] = 4
    biases: ClassVar[int] = 4
    efficiency: ClassVar[float] = 0.55
    takes_bfloat16: ClassVar[bool] = False

    kind: Literal["slstm"] = "slstm"
    """Says which of the families this is."""
    heads: Annotated[int, Field(ge=1)] = 1
    """Blocks of units; the recurrent weights connect units within a block only. Must divide `hidden`."""
    forget_gate: Literal["sigmoid", "exp"] = "sigmoid"
    """Function of the forget gate; exp may also raise the weight of what was there before."""
    forget_bias: float | None = None
    """Initial bias of the forget gate; the higher it is, the more steps the memory averages over at first. null takes 1
    for sigmoid and 0 for exp; above 0 an exp gate lets what was read first outweigh all that follows."""

    @model_validator(mode="after")
    def _check_heads(self) -> "SlstmSpec":
        if self.hidden % self.heads:
            raise ValueError(f"heads: found {self.heads}; must divide hidden, which is {self.hidden}")
        return self

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights; a unit hears from its own head only."""
        whole = super().weights(vocabulary_size)
        left_out = self.layers * self.gates * self.hidden * (self.hidden - self.hidden // self.heads)
        return whole._replace(recurrent=whole.recurrent - left_out)


class SlstmCell(Cell):
    """One sLSTM layer; its weights' rows are ordered by head, gate (i, f, z, o) and unit, its state is h, c, n, m."""

    states = 4
    gates = 4

    def __init__(
        self, inputs: int, hidden: int, heads: int, forget_gate: Literal["sigmoid", "exp"], forget_bias: float
    ) -> None:
        """Draw the weights as those of the other cells, from the width of a head."""
        super().__init__(inputs, hidden)
        self.heads = heads
        self.forget_gate = forget_gate
        self.block_rows = units = hidden // heads
        self.hidden_weight = nn.Parameter(torch.empty(4 * hidden, units).uniform_(-(units**-0.5), units**-0.5))
        with torch.no_grad():
            self.bias.view(heads, 4, units)[:, 1] = forget_bias

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T, c_T, n_T, m_T)."""
        batch, time, _ = inputs.shape
        units = self.hidden // self.heads
        products = functional.linear(inputs, self.input_weight, self.bias).view(batch, time, self.heads, 4, units)
        hidden, memory, normaliser, stabiliser = _TimeLoop.apply(  # type: ignore[no-untyped-call]
            products.permute(2, 1, 0, 3, 4),
            self.hidden_weight.view(self.heads, 4 * units, units),
            *(part.view(batch, self.heads, units).transpose(0, 1) for part in state),
            self.forget_gate == "sigmoid",
        )
        last = (hidden[:, -1], memory, normaliser, stabiliser)
        outputs = hidden.permute(2, 1, 0, 3).reshape(batch, time, self.hidden)
        return outputs, tuple(part.transpose(0, 1).reshape(batch, self.hidden) for part in last)


class _TimeLoop(torch.autograd.Function):
    """The steps of all heads, axes [head time batch unit]; kept for the backward pass: 8 numbers a unit and step.

    The stabiliser cancels out of h_t. So the gradients of c_t and n_t run back with m_t held fixed, and a gradient that
    reaches m_T itself, which no loss of a language model has, goes to the one gate that its maximum came from.
    """

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, h_0: Tensor, c_0: Tensor, n_0: Tensor, m_0: Tensor, is_sigmoid: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return h_t of all steps, and the last c, n and m."""
        ctx.set_materialize_grads(False)
        gates = inputs.clone(memory_format=torch.contiguous_format)  # [head time batch 4 unit]
        heads, time, batch, _, units = gates.shape
        states = gates.new_empty(4, heads, time + 1, batch, units)
        for place, start in enumerate((h_0, c_0, n_0, m_0)):
            states[place, :, 0] = start
        h, c, n, m = (list(values.unbind(1)) for values in states)
        steps, recurrent = gates.unbind(1), right_factor(weight, time)
        for t, (i, f, z, o) in enumerate(step.unbind(2) for step in steps):
            steps[t].view(heads, batch, -1).baddbmm_(h[t], recurrent)
            kept = functional.logsigmoid(f) if is_sigmoid else f.clone()
            kept += m[t]
            torch.maximum(kept, i, out=m[t + 1])
            kept.sub_(m[t + 1]).exp_()
            i.sub_(m[t + 1]).exp_()
            z.tanh_()
            o.sigmoid_()
            torch.mul(kept, c[t], out=c[t + 1]).addcmul_(i, z)
            torch.mul(kept, n[t], out=n[t + 1]).add_(i)
            torch.div(c[t + 1], n[t + 1], out=h[t + 1]).mul_(o)
        ctx.save_for_backward(gates, states, weight)
        ctx.is_sigmoid = is_sigmoid
        return states[0, :, 1:].clone(), c[-1].clone(), n[-1].clone(), m[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_hidden: Tensor | None, *d_last: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradients of the inputs, the weight and the first state."""
        gates, states, weight = ctx.saved_tensors
        h, (i, f, *_) = states[0], gates.unbind(3)
        d_gates, kept, n_by_f, by_h = _derivatives(gates, states, ctx.is_sigmoid)  # multiplied below
        d_i, d_f, _, d_o = d_gates.unbind(3)
        d_h, d_cn = torch.zeros_like(h[:, 0]), torch.zeros_like(states[1:3, :, 0])
        d_m = _add_last(d_cn, d_last, states[:, :, -1])
        for t in reversed(range(gates.shape[1])):
            if d_hidden is not None:
                d_h += d_hidden[:, t]
            d_o[:, t].mul_(d_h)
            d_cn.addcmul_(by_h[:, :, t], d_h)
            d_gates[:, t, :, :3].mul_(d_cn[0].unsqueeze(2))
            d_i[:, t].addcmul_(i[:, t], d_cn[1])
            d_f[:, t].addcmul_(n_by_f[:, t], d_cn[1])
            if d_m is not None:
                is_input = i[:, t] == 1  # the maximum was ln i_t
                d_i[:, t] += d_m * is_input
                d_m = d_m * ~is_input
                d_f[:, t] += d_m * torch.sigmoid(-f[:, t]) if ctx.is_sigmoid else d_m
            d_cn.mul_(kept[:, t])
            torch.bmm(d_gates[:, t].flatten(2), weight, out=d_h)
        d_weight = d_gates.flatten(1, 2).flatten(2).transpose(1, 2) @ h[:, :-1].flatten(1, 2)
        d_m_0 = (d_cn * states[1:3, :, 0]).sum(dim=0) + (0 if d_m is None else d_m)
        return d_gates, d_weight, d_h, d_cn[0], d_cn[1], d_m_0, None


def _derivatives(gates: Tensor, states: Tensor, is_sigmoid: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the derivatives within a step, for all steps; those by a gate are taken before its function.

    Returns:
        Those of c_t by i, f, z and of h_t by o; f'_t, that of c_t by c_{t-1}; of n_t by f; of h_t by c_t and n_t.
    """
    (h, c, n, m), (i, f, z, o) = states, gates.unbind(3)
    kept = functional.logsigmoid(f) if is_sigmoid else f.clone()
    kept.add_(m[:, :-1]).sub_(m[:, 1:]).exp_()
    kept_by_f = kept * torch.sigmoid(-f) if is_sigmoid else kept
    derivatives = torch.empty_like(gates)
    by_i, by_f, by_z, by_o = derivatives.unbind(3)
    torch.mul(i, z, out=by_i)
    torch.mul(kept_by_f, c[:, :-1], out=by_f)
    torch.addcmul(i, by_i, z, value=-1, out=by_z)
    times_complement(h[:, 1:], o, out=by_o)
    by_memory_and_normaliser = torch.stack([o, -h[:, 1:]]).div_(n[:, 1:])
    return derivatives, kept, kept_by_f * n[:, :-1], by_memory_and_normaliser


def _add_last(d_cn: Tensor, d_last: tuple[Tensor | None, ...], last: Tensor) -> Tensor | None:
    """Add the gradients that c_T and n_T are given; return that of m_T at fixed c_T e^m_T and n_T e^m_T.

    Args:
        d_cn: gradients of c and n, changed in place.
        d_last: gradients of c_T, n_T and m_T; a training step that cuts the state off gives none.
        last: h_T, c_T, n_T, m_T.
    """
    if all(gradient is None for gradient in d_last):
        return None
    d_c, d_n, d_m = (torch.zeros_like(last[0]) if gradient is None else gradient for gradient in d_last)
    d_cn += torch.stack([d_c, d_n])
    return d_m - d_c * last[1] - d_n * last[2]


class Slstm(RecurrentLanguageModel):
    """Language model of stacked sLSTM layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one sLSTM layer."""
        if not isinstance(spec, SlstmSpec):
            raise TypeError(type(spec))
        bias = float(spec.forget_gate == "sigmoid") if spec.forget_bias is None else spec.forget_bias
        return SlstmCell(inputs, spec.hidden, spec.heads, spec.forget_gate, bias)

    def initial_state(self, batch: int) -> State:
        """Return h_0 = c_0 = n_0 = 0 and m_0 = -inf for each layer."""
        return tuple((h, c, n, torch.full_like(m, -torch.inf)) for h, c, n, m in super().initial_state(batch))


MODEL, SPEC = Slstm, SlstmSpec
