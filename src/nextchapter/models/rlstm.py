"""The rewired LSTM (Melis, Circling Back to Recurrent Models of Language, 2022, arXiv 2211.01848, Rewired LSTM).

i_t = sigmoid(W_ix x_t + W_ih h_{t-1} + b_i)                j_t = tanh(W_jx x_t + W_jh h_{t-1} + b_j)
f_t = sigmoid(W_fu (i_t * j_t) + W_fh h_{t-1} + b_f)        the forget gate sees the proposed update, not the input
c_t = f_t * c_{t-1} + min(i_t, 1 - f_t) * j_t               so that |c_t| <= 1
o_t = sigmoid(W_oc c_t + b_o)                               the output gate sees the memory alone
h_t = o_t * tanh(c_t)
"""

from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.models.time_loop import right_factor, times_complement, weight_gradient
from nextchapter.spec.models import RecurrentMatrixSpec, RecurrentSpec, Weights


class RlstmSpec(RecurrentMatrixSpec):
    """The rewired LSTM of Melis (2022)."""

    gates: ClassVar[int] = 5
    biases: ClassVar[int] = 4
    efficiency: ClassVar[float] = 0.5
    takes_bfloat16: ClassVar[bool] = False

    kind: Literal["rlstm"] = "rlstm"
    """Says which of the families this is."""
    forget_bias: float = 1.0
    """Initial bias of the forget gate."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights; of the five blocks two see the input."""
        whole = super().weights(vocabulary_size)
        widths = self.embedding + self.hidden * (self.layers - 1)
        return whole._replace(recurrent=whole.recurrent - 3 * self.hidden * widths)


class RlstmCell(Cell):
    """One RLSTM layer.

    The rows of `input_weight` stand in the order i, j; those of `hidden_weight` are W_ih, W_jh, W_fh, W_fu, W_oc; the
    biases i, j, f, o.
    """

    states = 2
    gates = 4

    def __init__(self, inputs: int, hidden: int, forget_bias: float) -> None:
        """Build the layer with the given bias of the forget gate."""
        super().__init__(inputs, hidden)
        bound = hidden**-0.5
        self.input_weight = nn.Parameter(torch.empty(2 * hidden, inputs).uniform_(-bound, bound))
        self.hidden_weight = nn.Parameter(torch.empty(5 * hidden, hidden).uniform_(-bound, bound))
        with torch.no_grad():
            self.bias[2 * hidden : 3 * hidden] = forget_bias

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T, c_T)."""
        products = functional.linear(inputs.transpose(0, 1), self.input_weight)
        outputs, memory = _TimeLoop.apply(products, self.hidden_weight, self.bias, *state)  # type: ignore[no-untyped-call]
        return outputs.transpose(0, 1), (outputs[-1], memory)


class _TimeLoop(torch.autograd.Function):
    """The steps, axes [time batch unit]; kept for the backward pass: i, j, f, o, c and h, 6 numbers a unit and step."""

    @staticmethod
    def forward(
        ctx: Any, products: Tensor, weight: Tensor, bias: Tensor, h_0: Tensor, c_0: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return h_t of all steps and the last c; `products` are those of the input for i and j."""
        time, batch, hidden = len(products), *h_0.shape
        from_hidden, from_update, from_memory = (right_factor(part, time) for part in _by_source(weight))
        gates = bias.expand(time, batch, -1).clone()  # [time batch 4*unit], order i, j, f, o
        gates[..., : 2 * hidden] += products
        h, c = gates.new_empty(2, time + 1, batch, hidden)
        h[0], c[0] = h_0, c_0
        update, one_less = torch.empty_like(h_0), torch.empty_like(h_0)
        for t, step in enumerate(gates.unbind(0)):
            i, j, f, o = step.chunk(4, dim=1)
            step[:, : 3 * hidden].addmm_(h[t], from_hidden)
            i.sigmoid_()
            j.tanh_()
            f.addmm_(torch.mul(i, j, out=update), from_update).sigmoid_()
            taken = torch.minimum(i, torch.sub(1, f, out=one_less), out=one_less)
            torch.mul(f, c[t], out=c[t + 1]).addcmul_(taken, j)
            o.addmm_(c[t + 1], from_memory).sigmoid_()
            torch.tanh(c[t + 1], out=h[t + 1]).mul_(o)
        ctx.save_for_backward(gates, h, c, weight)
        return h[1:].clone(), c[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor, ...]:
        """Return the gradients of the input products, the weight, the bias and the first state."""
        gates, h, c, weight = ctx.saved_tensors
        hidden = h.shape[2]
        for_hidden, for_update, for_memory = _by_source(weight)
        d_gates, update_by_ij, h_by_c = _derivatives(gates, h, c)  # multiplied below by what comes from behind
        d_by_gate = d_gates.view(*update_by_ij.shape[:2], 4, hidden)
        d_f, d_o = d_by_gate[:, :, 2], d_by_gate[:, :, 3]
        i, j, f, _ = gates.chunk(4, dim=2)
        d_h, d_c, d_update = torch.zeros_like(d_last), d_last.clone(), torch.empty_like(d_last)
        for t in reversed(range(len(gates))):
            d_h += d_outputs[t]
            d_o[t].mul_(d_h)
            d_c.addcmul_(d_h, h_by_c[t]).addmm_(d_o[t], for_memory)
            d_by_gate[t, :, :3].mul_(d_c[:, None])
            torch.mm(d_f[t], for_update, out=d_update)
            d_by_gate[t, :, :2].addcmul_(update_by_ij[t], d_update[:, None])
            d_c.mul_(f[t])
            torch.mm(d_gates[t, :, : 3 * hidden], for_hidden, out=d_h)
        products = ((d_gates[..., : 3 * hidden], h[:-1]), (d_f, i * j), (d_o, c[1:]))
        d_weight = torch.cat([weight_gradient(d_product, values) for d_product, values in products])
        return d_gates[..., : 2 * hidden], d_weight, d_gates.sum(dim=(0, 1)), d_h, d_c


def _derivatives(gates: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the derivatives within a step, for all steps; those by a gate are taken before its function.

    Returns:
        Those of c_t by i, j, f at a given u_t = i_t * j_t and of h_t by o; of u_t by i, j; of h_t by c_t at a given o.
    """
    i, j, f, o = gates.chunk(4, dim=2)
    derivatives, update_by_ij = torch.empty_like(gates), gates.new_empty(*gates.shape[:2], 2, h.shape[2])
    by_i, by_j, by_f, by_o = derivatives.chunk(4, dim=2)
    update, is_capped = i * j, i > 1 - f
    times_complement(update, i, out=update_by_ij[:, :, 0])
    torch.addcmul(i, update, j, value=-1, out=update_by_ij[:, :, 1])
    taken = torch.where(is_capped, 1 - f, i)
    torch.mul(update_by_ij[:, :, 0], ~is_capped, out=by_i)
    torch.addcmul(taken, taken * j, j, value=-1, out=by_j)
    times_complement((c[:-1] - is_capped * j).mul_(f), f, out=by_f)
    times_complement(h[1:], o, out=by_o)
    return derivatives, update_by_ij, torch.addcmul(o, h[1:], c[1:].tanh(), value=-1)


def _by_source(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the weights of h_{t-1} for i, j, f, those of i_t * j_t for f, and those of c_t for o."""
    hidden = weight.shape[1]
    return weight[: 3 * hidden], weight[3 * hidden : 4 * hidden], weight[4 * hidden :]


class Rlstm(RecurrentLanguageModel):
    """Language model of stacked RLSTM layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one RLSTM layer."""
        if not isinstance(spec, RlstmSpec):
            raise TypeError(type(spec))
        return RlstmCell(inputs, spec.hidden, spec.forget_bias)


MODEL, SPEC = Rlstm, RlstmSpec
