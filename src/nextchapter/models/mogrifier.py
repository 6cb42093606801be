"""The Mogrifier LSTM (Melis, Kocisky and Blunsom, 2020, arXiv 1909.01792): input and state gate each other first.

x^-1 = x_t,  h^0 = h_{t-1},  and for each round r = 1 ... R
    x^r = 2 sigmoid(Q^r h^{r-1}) * x^{r-2}       for odd r
    h^r = 2 sigmoid(R^r x^{r-1}) * h^{r-2}       for even r
h_t, c_t = LSTM of the last x, the last h and c_{t-1}
"""

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.models.time_loop import right_factor, times_complement, weight_gradient
from nextchapter.spec.models import RecurrentMatrixSpec, RecurrentSpec, Weights


class MogrifierSpec(RecurrentMatrixSpec):
    """The Mogrifier LSTM of Melis, Kocisky and Blunsom (2020)."""

    gates: ClassVar[int] = 4
    biases: ClassVar[int] = 4
    efficiency: ClassVar[float] = 0.6
    takes_bfloat16: ClassVar[bool] = False

    kind: Literal["mogrifier"] = "mogrifier"
    """Says which of the families this is."""
    rounds: Annotated[int, Field(ge=0, le=64)] = 5
    """How often input and state gate each other before each step; 0 is the LSTM."""
    rank: Annotated[int, Field(ge=1)] | Literal["full"] = "full"
    """Rank of the matrices of the rounds; with a number each is a product of two."""
    cap_input_gate: bool = True
    """Let the input gate be at most 1 - f, as in the authors' program: the memory stays within -1 and 1."""
    forget_bias: float = 1.0
    """Initial bias of the forget gate."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights, those of the rounds included."""
        whole = super().weights(vocabulary_size)
        widths = [self.embedding] + [self.hidden] * (self.layers - 1)
        per_round = [
            width * self.hidden if self.rank == "full" else self.rank * (width + self.hidden) for width in widths
        ]
        return whole._replace(recurrent=whole.recurrent + self.rounds * sum(per_round))


class MogrifierCell(Cell):
    """One layer; the blocks of the LSTM stand in the order i, f, g, o.

    `rounds` holds Q^1, R^2, Q^3 ..., or, of a low rank, two matrices for each: the one applied first, then the other.
    """

    states = 2
    gates = 4

    def __init__(
        self,
        inputs: int,
        hidden: int,
        rounds: int,
        rank: int | Literal["full"],
        forget_bias: float,
        cap_input_gate: bool = True,
    ) -> None:
        """Draw the weights; those of the rounds are such that their gates start near 1."""
        super().__init__(inputs, hidden)
        self.cap_input_gate = cap_input_gate
        with torch.no_grad():
            self.bias[hidden : 2 * hidden] = forget_bias
        self.rounds = nn.ParameterList()
        self.matrices_per_round = 1 if rank == "full" else 2
        for index in range(rounds):
            target, source = (inputs, hidden) if index % 2 == 0 else (hidden, inputs)
            widths = (source, target) if rank == "full" else (source, rank, target)
            for columns, rows in itertools.pairwise(widths):
                bound = columns**-0.5
                self.rounds.append(nn.Parameter(torch.empty(rows, columns).uniform_(-bound, bound)))

    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and (h_T, c_T)."""
        outputs, memory = _TimeLoop.apply(  # type: ignore[no-untyped-call]
            self.matrices_per_round,
            self.cap_input_gate,
            inputs.transpose(0, 1),
            *state,
            self.input_weight,
            self.hidden_weight,
            self.bias,
            *self.rounds,
        )
        return outputs.transpose(0, 1), (outputs[-1], memory)


class _TimeLoop(torch.autograd.Function):
    """The steps, axes [time batch unit].

    Kept for the backward pass: the input, 6 numbers a unit and step of the LSTM, and the gates of the rounds; what they
    gate is multiplied out again.
    """

    @staticmethod
    def forward(
        ctx: Any, matrices_per_round: int, cap: bool, inputs: Tensor, h_0: Tensor, c_0: Tensor, *weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return h_t of all steps and the last c; `weights` are W, U, b and those of the rounds."""
        time, batch, hidden = len(inputs), *h_0.shape
        from_input, from_hidden = (right_factor(weight, time) for weight in weights[:2])
        rounds = _pairs([right_factor(weight, time) for weight in weights[3:]], matrices_per_round)
        gates = [inputs.new_empty(time, batch, matrices[-1].shape[1]) for matrices in rounds]
        blocks = weights[2].expand(time, batch, -1).clone()  # [time batch 4*unit], order i, f, g, o
        h, c = blocks.new_empty(2, time + 1, batch, hidden)
        h[0], c[0] = h_0, c_0
        for t, step in enumerate(blocks.unbind(0)):
            pair = [inputs[t], h[t]]
            for index, matrices in enumerate(rounds):
                target, source = index % 2, 1 - index % 2
                inner = pair[source] if len(matrices) == 1 else pair[source] @ matrices[0]
                gate = torch.mm(inner, matrices[-1], out=gates[index][t]).sigmoid_().mul_(2)
                pair[target] = pair[target] * gate
            step.addmm_(pair[0], from_input).addmm_(pair[1], from_hidden)
            i, f, g, o = step.chunk(4, dim=1)
            step[:, : 2 * hidden].sigmoid_()
            if cap:
                torch.minimum(i, 1 - f, out=i)
            g.tanh_()
            o.sigmoid_()
            torch.mul(f, c[t], out=c[t + 1]).addcmul_(i, g)
            torch.tanh(c[t + 1], out=h[t + 1]).mul_(o)
        ctx.matrices_per_round, ctx.rounds, ctx.cap = matrices_per_round, len(rounds), cap
        ctx.save_for_backward(inputs, h, c, blocks, *gates, *weights)
        return h[1:].clone(), c[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_last: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the inputs, the first state and the weights."""
        inputs, h, c, blocks, *rest = ctx.saved_tensors
        gates, (input_weight, hidden_weight, _, *matrices) = rest[: ctx.rounds], rest[ctx.rounds :]
        rounds = _pairs(matrices, ctx.matrices_per_round)
        pair, sources, d_rounds = [inputs, h[:-1]], [], []
        for index, gate in enumerate(gates):
            sources.append(pair[1 - index % 2])
            pair[index % 2] = pair[index % 2] * gate
            d_rounds.append(times_complement(pair[index % 2], gate / 2))  # by what the sigmoid is of
        d_blocks, h_by_c = _lstm_derivatives(
            blocks, h, c, ctx.cap
        )  # multiplied below by what comes from behind, as d_rounds is
        d_blocks_by_gate = d_blocks.view(*d_outputs.shape[:2], 4, -1)
        forget = blocks.chunk(4, dim=2)[1]
        d_inputs = torch.empty_like(inputs)
        d_h, d_c = torch.zeros_like(d_last), d_last.clone()
        for t in reversed(range(len(inputs))):
            d_h += d_outputs[t]
            d_blocks_by_gate[t, :, 3].mul_(d_h)
            d_c.addcmul_(d_h, h_by_c[t])
            d_blocks_by_gate[t, :, :3].mul_(d_c[:, None])
            d_c.mul_(forget[t])
            d_pair = [
                torch.mm(d_blocks[t], input_weight, out=d_inputs[t]),
                torch.mm(d_blocks[t], hidden_weight, out=d_h),
            ]
            for index in reversed(range(ctx.rounds)):
                target, source = index % 2, 1 - index % 2
                outer = d_rounds[index][t].mul_(d_pair[target])
                d_pair[target].mul_(gates[index][t])
                inner = outer if len(rounds[index]) == 1 else outer @ rounds[index][1]
                d_pair[source].addmm_(inner, rounds[index][0])
        d_matrices: list[Tensor] = []
        for round_matrices, source, d_round in zip(rounds, sources, d_rounds, strict=True):
            d_matrices.extend(_round_gradients(round_matrices, source, d_round))
        d_lstm = (weight_gradient(d_blocks, pair[0]), weight_gradient(d_blocks, pair[1]), d_blocks.sum(dim=(0, 1)))
        return None, None, d_inputs, d_h, d_c, *d_lstm, *d_matrices


def _pairs(matrices: Sequence[Tensor], size: int) -> list[Sequence[Tensor]]:
    """Return the matrices of each round."""
    return [matrices[start : start + size] for start in range(0, len(matrices), size)]


def _lstm_derivatives(blocks: Tensor, h: Tensor, c: Tensor, cap: bool) -> tuple[Tensor, Tensor]:
    """Return the derivatives of c_t by i, f, g and of h_t by o, before their functions, and of h_t by c_t.

    Where the input gate is capped, c_t = f c_{t-1} + (1 - f) g: it follows the forget gate alone.
    """
    i, f, g, o = blocks.chunk(4, dim=2)
    derivatives = torch.empty_like(blocks)
    by_i, by_f, by_g, by_o = derivatives.chunk(4, dim=2)
    update, tanh_c = i * g, c[1:].tanh()
    times_complement(update, i, out=by_i)
    kept = c[:-1]
    if cap:
        is_capped = i >= 1 - f
        by_i.masked_fill_(is_capped, 0.0)
        kept = torch.where(is_capped, kept - g, kept)
    times_complement(f * kept, f, out=by_f)
    torch.addcmul(i, update, g, value=-1, out=by_g)
    times_complement(h[1:], o, out=by_o)
    return derivatives, torch.addcmul(o, h[1:], tanh_c, value=-1)


def _round_gradients(matrices: Sequence[Tensor], source: Tensor, d_round: Tensor) -> list[Tensor]:
    """Return the gradients of one round's matrices, from those of their whole product with `source`."""
    if len(matrices) == 1:
        return [weight_gradient(d_round, source)]
    return [weight_gradient(d_round @ matrices[1], source), weight_gradient(d_round, source @ matrices[0].T)]


class Mogrifier(RecurrentLanguageModel):
    """Language model of stacked Mogrifier LSTM layers."""

    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one Mogrifier LSTM layer."""
        if not isinstance(spec, MogrifierSpec):
            raise TypeError(type(spec))
        return MogrifierCell(inputs, spec.hidden, spec.rounds, spec.rank, spec.forget_bias, spec.cap_input_gate)


MODEL, SPEC = Mogrifier, MogrifierSpec
