"""What the recurrent language models share: embedding, stacked cells, softmax output.

    x_t   = E[token_t]
    h_t^1 = cell(x_t, h_{t-1}^1),  h_t^l = cell(h_t^{l-1}, h_{t-1}^l)
    y_t   = softmax(W_s h_t + b_s)

One set of weights serves all steps, and h_0 = 0. Equations and sources: docs/models.md.
"""

import functools
import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from nextchapter.models.embedding_dropout import look_up
from nextchapter.models.locked_dropout import drop
from nextchapter.models.protocol import Advance, State
from nextchapter.models.softmax import OtherOutput, OutputLayer, SoftmaxLanguageModel, start_bias
from nextchapter.models.weight_dropout import run_with_dropped_weights
from nextchapter.spec.models import RecurrentMatrixSpec, RecurrentSpec
from nextchapter.tokens.stream import TokenStream

RecurrentInit = Literal["uniform", "normal", "orthogonal", "identity"]
_TOKENS_KEPT = 4096
"""Of so many tokens at most a writer keeps what they bring to the first layer: that bounds its memory."""


class Cell(nn.Module, ABC):
    """One recurrent layer; a state is a tuple of tensors [batch hidden]."""

    states: int = 1
    """Number of tensors in the state: h, or h and c."""
    gates: int = 1
    """Number of blocks of `hidden` rows in the weights."""

    def __init__(self, inputs: int, hidden: int, recurrent_init: RecurrentInit | None = "uniform") -> None:
        """Draw W_xh from U(-1/sqrt(hidden), 1/sqrt(hidden)), and W_hh; biases start at 0.

        Args:
            inputs: width of x_t.
            hidden: width of h_t.
            recurrent_init: how W_hh is drawn; None for a cell that has none.
        """
        super().__init__()
        self.hidden = self.block_rows = hidden  # rows of one gate in the weights
        bound = 1 / math.sqrt(hidden)
        self.input_weight = nn.Parameter(torch.empty(self.gates * hidden, inputs).uniform_(-bound, bound))
        if recurrent_init is not None:
            self.hidden_weight = nn.Parameter(draw_recurrence(self.gates, hidden, recurrent_init))
        self.bias = nn.Parameter(torch.zeros(self.gates * hidden))

    @abstractmethod
    def forward(
        self, inputs: Float[Tensor, "batch time input"], state: State
    ) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t for each step, and the state after the last one."""

    def step(self, inputs: Float[Tensor, "batch input"], state: State) -> tuple[Float[Tensor, "batch hidden"], State]:
        """Return h_t of a single step, and the state after it."""
        return self.step_from(self.input_terms(inputs), state)

    def input_terms(self, inputs: Float[Tensor, "batch input"]) -> Float[Tensor, "batch term"]:
        """Return what x_t alone brings to a step, and all that it brings: here x_t itself."""
        return inputs

    def step_from(
        self, input_terms: Float[Tensor, "batch term"], state: State
    ) -> tuple[Float[Tensor, "batch hidden"], State]:
        """Return h_t of a single step, and the state after it, from the terms of x_t.

        A cell overrides this where starting its loop over time costs more than the step.
        """
        outputs, state = self(input_terms[:, None], state)
        return outputs[:, 0], state


class AdditiveCell(Cell):
    """A cell into which x_t enters by the sum W_xh x_t + b_h alone."""

    def input_terms(self, inputs: Float[Tensor, "batch input"]) -> Float[Tensor, "batch term"]:
        """Return W_xh x_t + b_h of all blocks."""
        return functional.linear(inputs, self.input_weight, self.bias)


class RecurrentLanguageModel(SoftmaxLanguageModel):
    """Embedding, cells and softmax; a family gives its cell."""

    def __init__(self, vocabulary_size: int, spec: RecurrentSpec) -> None:
        """Build the network; weights are drawn from torch's global generator."""
        super().__init__()
        self.vocabulary_size, self.hidden_width = vocabulary_size, spec.hidden
        self.spec = spec
        self.weight_dropout = spec.weight_dropout if isinstance(spec, RecurrentMatrixSpec) else 0.0
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        draw_vectors(self.embedding.weight, spec.embedding_init)
        widths = [spec.embedding] + [spec.hidden] * (spec.layers - 1)
        self.cells = nn.ModuleList(self.cell(width, spec) for width in widths)
        self.projection = _projection(spec)
        self.output = self._output(spec)

    @abstractmethod
    def cell(self, inputs: int, spec: RecurrentSpec) -> Cell:
        """Return one layer of the family."""

    def initial_state(self, batch: int) -> State:
        """Return h_0 = 0 (and c_0 = 0) for each layer."""
        zero = self.embedding.weight.new_zeros
        return tuple(tuple(zero(batch, cell.hidden) for _ in range(cell.states)) for cell in self._layers)

    def read(self, tokens: Int[Tensor, "batch time"], state: State) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return h_t of the last layer at each step, and the state after the last one."""
        spec, new_state = self.spec, []
        hidden = look_up(self.embedding, tokens, spec.embedding_dropout, self.training)
        for layer, (cell, old) in enumerate(zip(self._layers, state, strict=True)):
            hidden = self._drop(hidden, spec.dropout if layer else spec.input_dropout)
            hidden, new = self._advance(cell, hidden, old)
            new_state.append(new)
        return self._drop(hidden, spec.output_dropout), tuple(new_state)

    def prepared_step(self) -> Advance:
        """Return `step` without dropout; what a token brings to the first layer is multiplied out once, and kept."""
        first, *others = self._layers

        @functools.lru_cache(_TOKENS_KEPT)
        def terms_of(token: int) -> Float[Tensor, "1 term"]:
            return first.input_terms(self.embedding.weight[token, None])

        def advance(tokens: Sequence[int], state: State) -> tuple[Float[Tensor, "batch token"], State]:
            hidden, new = first.step_from(torch.cat([terms_of(token) for token in tokens]), state[0])
            new_state = [new]
            for cell, old in zip(others, state[1:], strict=True):
                hidden, new = cell.step(hidden, old)
                new_state.append(new)
            return self.predict(hidden[:, None])[:, 0], tuple(new_state)

        return advance

    def output_layer(self, hidden: Float[Tensor, "... hidden"]) -> OutputLayer:
        """Return h_t, projected where the output is tied, W_s and b_s.

        Raises:
            TypeError: the output is no softmax.
        """
        if not isinstance(self.output, nn.Linear):
            raise TypeError(f"found {type(self.output).__name__}; only a softmax has logits of single tokens")
        return OutputLayer(self.projection(hidden), self.output.weight, self.output.bias)

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Tell the output how frequent tokens are."""
        del end_of_chapter
        counts = torch.from_numpy(stream.counts(self.vocabulary_size))
        if isinstance(self.output, OtherOutput):
            self.output.prepare(counts)
        elif self.spec.output_bias == "counts":
            start_bias(self.output.bias, counts)

    def predict(self, hidden: Float[Tensor, "batch time hidden"]) -> Float[Tensor, "batch time token"]:
        """Return ln p(next token | h_t), in nats."""
        return self.output.predict(hidden) if isinstance(self.output, OtherOutput) else super().predict(hidden)

    def cross_entropy(
        self, hidden: Float[Tensor, "batch time hidden"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return -ln p(target | h_t), in nats."""
        layer = self.output
        return (
            layer.cross_entropy(hidden, targets)
            if isinstance(layer, OtherOutput)
            else super().cross_entropy(hidden, targets)
        )

    def _output(self, spec: RecurrentSpec) -> nn.Linear | OtherOutput:
        """Return the layer behind the projection: that of the softmax, or the one that takes its place."""
        if spec.adaptive is not None:
            module = importlib.import_module("nextchapter.models.outputs.adaptive")  # by name: code of its runs only
            other: OtherOutput = module.OUTPUT(spec.hidden, self.vocabulary_size, spec.adaptive)
            return other
        output = nn.Linear(spec.embedding if spec.tied else spec.hidden, self.vocabulary_size)
        nn.init.zeros_(output.bias)
        if spec.tied:
            output.weight = self.embedding.weight
        return output

    @property
    def _layers(self) -> list[Cell]:
        return [cell for cell in self.cells if isinstance(cell, Cell)]

    def _drop(self, values: Tensor, rate: float | None) -> Tensor:
        """Drop values while training, at a place that may have a rate of its own."""
        return drop(values, self.spec.dropout if rate is None else rate, self.training, self.spec.dropout_locked)

    def _advance(self, cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
        """Return what a layer makes of inputs [batch time input]; a single one needs no loop over time."""
        if self.training and self.weight_dropout:
            return run_with_dropped_weights(cell, self.weight_dropout, inputs, state)
        if inputs.shape[1] == 1:
            hidden, state = cell.step(inputs[:, 0], state)
            return hidden[:, None], state
        outputs: tuple[Tensor, State] = cell(inputs, state)
        return outputs


def draw_recurrence(gates: int, hidden: int, recurrent_init: RecurrentInit) -> Float[Tensor, "row hidden"]:
    """Return a random start of W_hh, its blocks of `hidden` rows below each other."""
    weight = torch.empty(gates * hidden, hidden)
    scale = 1 / math.sqrt(hidden)
    if recurrent_init == "uniform":
        return nn.init.uniform_(weight, -scale, scale)
    if recurrent_init == "normal":
        return nn.init.normal_(weight, std=scale)
    draw_block = nn.init.orthogonal_ if recurrent_init == "orthogonal" else nn.init.eye_
    for block in weight.chunk(gates):
        draw_block(block)
    return weight


def draw_vectors(vectors: Tensor, distribution: Literal["normal", "uniform"]) -> None:
    """Fill vectors [token state] with values of variance 1/width, so that their lengths are about 1."""
    std = vectors.shape[1] ** -0.5
    if distribution == "normal":
        nn.init.normal_(vectors, std=std)
    else:
        nn.init.uniform_(vectors, -math.sqrt(3) * std, math.sqrt(3) * std)


def _projection(spec: RecurrentSpec) -> nn.Module:
    """Return the map from hidden to embedding width that a tied output needs where they differ."""
    if spec.tied and spec.hidden != spec.embedding:
        return nn.Linear(spec.hidden, spec.embedding, bias=False)
    return nn.Identity()
