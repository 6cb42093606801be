"""The models a run may train; `kind` is the name of the module in `nextchapter.models`."""

from typing import Annotated, Literal

from pydantic import Field

from nextchapter.spec.base import Spec


class RecurrentSpec(Spec):
    """What every recurrent network has: embedding, stacked cells, softmax output."""

    hidden: Annotated[int, Field(ge=1, le=16384)] = 256
    """Width of the hidden state of each layer."""
    layers: Annotated[int, Field(ge=1, le=32)] = 1
    """Number of stacked recurrent layers."""
    embedding: Annotated[int, Field(ge=1, le=16384)] = 256
    """Width of the token vectors."""
    tied: bool = True
    """Use the embedding matrix as the output matrix as well (Press and Wolf, 2017)."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Share of values dropped after the embedding, between the layers and before the output."""


class ElmanSpec(RecurrentSpec):
    """The simple recurrent network of Elman (1990)."""

    kind: Literal["elman"] = "elman"
    """Says which of the kinds this is."""
    activation: Literal["tanh", "relu", "sigmoid"] = "tanh"
    """The non-linearity of the hidden state."""


class GruSpec(RecurrentSpec):
    """The gated recurrent unit of Cho et al. (2014)."""

    kind: Literal["gru"] = "gru"
    """Says which of the kinds this is."""


class LstmSpec(RecurrentSpec):
    """Long short-term memory, Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""

    kind: Literal["lstm"] = "lstm"
    """Says which of the kinds this is."""
    forget_bias: float = 1.0
    """Initial bias of the forget gate; 1 lets gradients pass from the first step on (Jozefowicz et al., 2015)."""


class NgramSpec(Spec):
    """Interpolated modified Kneser-Ney n-grams, Chen and Goodman (1999)."""

    kind: Literal["ngram"] = "ngram"
    """Says which of the kinds this is."""
    order: Annotated[int, Field(ge=1, le=12)] = 5
    """Longest n-gram, in tokens."""


ModelSpec = Annotated[ElmanSpec | GruSpec | LstmSpec, Field(discriminator="kind")]
