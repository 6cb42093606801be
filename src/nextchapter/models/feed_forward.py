"""The neural probabilistic language model (Bengio et al., 2003): a fixed window of tokens instead of recurrence.

    x_t = (E[w_{t-n+2}], ..., E[w_t])                       the last n - 1 tokens, side by side
    y_t = softmax(b + W x_t + U tanh(d + H x_t))            eq. 1 and those before it; W = 0 without `direct`

Before the first token stand zeros. The state is the last n - 2 tokens, so that a gradient reaches all their vectors
wherever a batch was cut.
"""

from typing import Annotated, ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from nextchapter.models.embedding_dropout import look_up
from nextchapter.models.protocol import State
from nextchapter.models.softmax import OutputLayer, SoftmaxLanguageModel, start_bias
from nextchapter.spec.models import FamilySpec, OutputBias, Share, Weights
from nextchapter.tokens.stream import TokenStream

ABSENT = -1
"""In a state: the chapter had not begun."""


class FeedForwardSpec(FamilySpec):
    """The feed-forward network of Bengio et al. (2003)."""

    has_token_vectors: ClassVar[bool] = True

    kind: Literal["feed-forward"] = "feed-forward"
    """Says which of the families this is."""
    order: Annotated[int, Field(ge=2, le=64)] = 5
    """Tokens in a window, the predicted one included: the n of an n-gram."""
    hidden: Annotated[int, Field(ge=1, le=16384)] = 256
    """Width of the hidden layer."""
    embedding: Annotated[int, Field(ge=1, le=16384)] = 128
    """Width of the token vectors."""
    direct: bool = False
    """Connect the token vectors with the output directly as well."""
    tied: bool = True
    """Use the embedding matrix as the output matrix as well (Press and Wolf, 2017)."""
    output_bias: OutputBias = "counts"
    """How b starts: at ln of the tokens' shares of the training split, or at zeros."""
    dropout: Share = 0.2
    """Share of values dropped after the embedding and before the output."""
    embedding_dropout: Share = 0.0
    """Share of the vocabulary whose vectors are zeros for a batch (Gal and Ghahramani, 2016)."""

    @property
    def window(self) -> int:
        """Numbers that the hidden layer reads: the vectors of all tokens before the predicted one."""
        return (self.order - 1) * self.embedding

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights of embedding, hidden layer, projection, output and direct connections."""
        projection = self.hidden * self.embedding if self.tied and self.hidden != self.embedding else 0
        output = vocabulary_size * (self.embedding if self.tied else self.hidden) + projection
        direct = vocabulary_size * self.window if self.direct else 0
        biases = self.hidden + vocabulary_size
        return Weights(vocabulary_size * self.embedding, self.hidden * self.window, output + direct, biases, self.tied)

    def describe(self) -> str:
        """Return order and width."""
        return f"order {self.order}, {self.hidden} hidden"


class FeedForward(SoftmaxLanguageModel):
    """Embedding, one tanh layer over a window of it, softmax output."""

    def __init__(self, vocabulary_size: int, spec: FeedForwardSpec) -> None:
        """Build the network; weights are drawn from torch's global generator, biases start at 0."""
        super().__init__()
        self.vocabulary_size, self.order, self.dropout = vocabulary_size, spec.order, spec.dropout
        self.embedding_dropout, self.output_bias = spec.embedding_dropout, spec.output_bias
        self.embedding = nn.Embedding(vocabulary_size, spec.embedding)
        nn.init.normal_(self.embedding.weight, std=spec.embedding**-0.5)
        self.hidden = nn.Linear(spec.window, spec.hidden)
        self.hidden_width = spec.hidden + (spec.window if spec.direct else 0)
        nn.init.zeros_(self.hidden.bias)
        is_projected = spec.tied and spec.hidden != spec.embedding
        self.projection = nn.Linear(spec.hidden, spec.embedding, bias=False) if is_projected else nn.Identity()
        self.output = nn.Linear(spec.embedding if spec.tied else spec.hidden, vocabulary_size)
        nn.init.zeros_(self.output.bias)
        if spec.tied:
            self.output.weight = self.embedding.weight
        self.direct = nn.Linear(spec.window, vocabulary_size, bias=False) if spec.direct else None

    def prepare(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Tell the output how frequent tokens are."""
        del end_of_chapter
        if self.output_bias == "counts":
            start_bias(self.output.bias, torch.from_numpy(stream.counts(self.vocabulary_size)))

    def initial_state(self, batch: int) -> State:
        """Return the state in which no token was read, int64 [batch context]."""
        return torch.full((batch, self.order - 2), ABSENT, device=self.device)

    def read(self, tokens: Int[Tensor, "batch time"], state: State) -> tuple[Float[Tensor, "batch time hidden"], State]:
        """Return tanh(d + H x_t) for all windows at once, with `direct` x_t behind it, and the last n - 2 tokens."""
        read = torch.cat([state, tokens], dim=1)  # [batch context+time]
        windows = self._vectors(read).unfold(1, self.order - 1, 1).transpose(2, 3).flatten(2)  # [batch time window]
        hidden = functional.dropout(torch.tanh(self.hidden(windows)), self.dropout, self.training)
        if self.direct is not None:
            hidden = torch.cat([hidden, windows], dim=-1)
        return hidden, read[:, read.shape[1] - (self.order - 2) :]

    def output_layer(self, hidden: Float[Tensor, "... hidden"]) -> OutputLayer:
        """Return tanh(d + H x_t), projected where the output is tied, U and b; with `direct` x_t and W beside them."""
        width = self.hidden.out_features
        features, weight = self.projection(hidden[..., :width]), self.output.weight
        if self.direct is not None:
            features = torch.cat([features, hidden[..., width:]], dim=-1)
            weight = torch.cat([weight, self.direct.weight], dim=1)
        return OutputLayer(features, weight, self.output.bias)

    def logits(self, hidden: Float[Tensor, "... hidden"]) -> Float[Tensor, "... token"]:
        """Return b + W x_t + U tanh(d + H x_t), without W and U side by side in memory."""
        width = self.hidden.out_features
        logits: Tensor = self.output(self.projection(hidden[..., :width]))
        return logits if self.direct is None else logits + self.direct(hidden[..., width:])

    def _vectors(self, tokens: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time embedding"]:
        """Return the vector of each token, zeros where there is none."""
        read = look_up(self.embedding, tokens.clamp_min(0), self.embedding_dropout, self.training)
        vectors = read.where((tokens != ABSENT)[..., None], 0.0)
        return functional.dropout(vectors, self.dropout, self.training)


MODEL, SPEC = FeedForward, FeedForwardSpec
