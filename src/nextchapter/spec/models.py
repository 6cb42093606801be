"""What the specifications of all models share. A family's own keys stand in its file in `nextchapter.models`."""

import itertools
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from nextchapter.spec.base import Spec, SpecError

MOST_DESCRIBED = 8192
"""So many hidden states are described at most: a table of transitions between them takes 256 MiB."""
Share = Annotated[float, Field(ge=0, lt=1)]
OutputBias = Literal["counts", "zeros"]


class Weights(NamedTuple):
    """How many weights a model has, by what they do: from this, time and memory are estimated before a run."""

    looked_up: int = 0
    """Embeddings: read, not multiplied."""
    recurrent: int = 0
    """In products up to the hidden state."""
    output: int = 0
    """In products behind the hidden state; a tied output's matrix is that of the embedding."""
    biases: int = 0
    tied: bool = False

    @property
    def total(self) -> int:
        """Number of parameters."""
        shared = self.looked_up if self.tied else 0
        return self.looked_up + self.recurrent + self.output + self.biases - shared


class FamilySpec(Spec):
    """The base of every family's specification; a subclass says its `kind`, the name of its module."""

    has_token_vectors: ClassVar[bool] = False
    """Whether the model looks tokens up in a table of vectors of the width `embedding`."""
    efficiency: ClassVar[float] = 0.75
    """Share of a core's measured speed that training reaches; measured 0.5 (GRU of 128) to 0.95 (LSTM of 2 x 1024);
    minGRU and minLSTM lie between GRU and LSTM of the same size."""
    takes_bfloat16: ClassVar[bool] = True
    """Whether training may compute its products in bfloat16; a loop over time of our own takes float32."""
    reads_once: ClassVar[bool] = False
    """Whether it is fitted from one reading of the training split; then it heeds `training.device`, `.threads`."""
    reading_cost: ClassVar[float] = 1.0
    """Times that a token costs when read by it, of what it costs the runs that it is made of."""

    kind: str
    """Says which of the families this is."""

    @property
    def described_states(self) -> int:
        """Number of hidden states that a passage can be labelled with; 0 without, or with too many for a table."""
        return 0

    @property
    def made_of(self) -> dict[str, str]:
        """Names of the runs whose models it is made of, by the keys that name them."""
        return {}

    @property
    def has_gradient(self) -> bool:
        """Whether it has weights of its own that a gradient can move."""
        return not (self.reads_once or self.made_of)

    def objection_to(self, member: "FamilySpec") -> str:
        """Return what stands against being made of a model, and what is allowed; nothing for most."""
        del member
        return ""

    @property
    def loaded(self) -> tuple[str, ...]:
        """The modules that the model loads by name, its family's apart."""
        return ()

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights of its own; a model that counts has none before it has counted."""
        del vocabulary_size
        return Weights()

    def operations_per_token(self, vocabulary_size: int, sequences: int, length: int) -> float:
        """Return the floating point operations of a training token: 2 forwards and 4 backwards for each weight.

        A family whose time goes elsewhere says how many such operations would take as long, as it was measured.

        Args:
            vocabulary_size: number of tokens.
            sequences: of a step, side by side.
            length: tokens of each.
        """
        del sequences, length
        weights = self.weights(vocabulary_size)
        return 6 * (weights.recurrent + weights.output)

    def table_bytes(self, train_tokens: float) -> float:
        """Return the most that the tables of a model that counts take on the disk, by the tokens that it counts."""
        del train_tokens
        return 0

    def describe(self) -> str:
        """Return what tells this model from others of its family, in a few words: `384 hidden`."""
        return ""


class AdaptiveSpec(Spec):
    """The adaptive softmax of Grave et al. (2017): frequent tokens first, rare ones in clusters."""

    cutoffs: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (2000, 10000)
    """Ranks at which a new cluster begins, rising; those beyond the vocabulary are passed over."""
    divisor: Annotated[float, Field(ge=1)] = 4.0
    """What the width of the vectors is divided by from each cluster to the next."""

    @model_validator(mode="after")
    def _cutoffs_rise(self) -> "AdaptiveSpec":
        if list(self.cutoffs) != sorted(set(self.cutoffs)):
            raise ValueError(f"cutoffs: found {list(self.cutoffs)}; each must be above the one before")
        return self

    def cutoffs_below(self, vocabulary_size: int) -> tuple[int, ...]:
        """Return the cutoffs that a vocabulary has.

        Raises:
            SpecError: it has none.
        """
        below = tuple(cutoff for cutoff in self.cutoffs if cutoff < vocabulary_size)
        if not below:
            found = f"model.adaptive.cutoffs: found {list(self.cutoffs)}"
            raise SpecError(f"{found}; one must be below {vocabulary_size}, the size of the vocabulary")
        return below

    def weights(self, inputs: int, vocabulary_size: int) -> int:
        """Return the number of weights behind an input of a width, biases apart."""
        cutoffs = self.cutoffs_below(vocabulary_size)
        total = inputs * (cutoffs[0] + len(cutoffs))
        for place, (start, stop) in enumerate(itertools.pairwise([*cutoffs, vocabulary_size]), start=1):
            width = int(inputs // self.divisor**place)
            total += width * (inputs + stop - start)
        return total


class RecurrentSpec(FamilySpec):
    """What every recurrent network has: embedding, stacked cells, softmax output."""

    has_token_vectors: ClassVar[bool] = True
    gates: ClassVar[int] = 1
    """Blocks of `hidden` rows in the weights of a layer."""
    biases: ClassVar[int] = 1
    """Biases of a hidden unit."""

    hidden: Annotated[int, Field(ge=1, le=16384)] = 256
    """Width of the hidden state of each layer."""
    layers: Annotated[int, Field(ge=1, le=32)] = 1
    """Number of stacked recurrent layers."""
    embedding: Annotated[int, Field(ge=1, le=16384)] = 256
    """Width of the token vectors."""
    embedding_init: Literal["normal", "uniform"] = "normal"
    """Distribution of the token vectors' random start; both have variance 1/embedding."""
    tied: bool = True
    """Use the embedding matrix as the output matrix as well (Press and Wolf, 2017)."""
    output_bias: OutputBias = "counts"
    """How b_s starts: at ln of the tokens' shares of the training split, or at zeros."""
    adaptive: AdaptiveSpec | None = None
    """An adaptive softmax as the output layer, for large vocabularies; it can't be tied. null has the full softmax."""
    dropout: Share = 0.2
    """Share of values dropped after the embedding, between the layers and before the output."""
    dropout_locked: bool = False
    """Drop the same values at all steps of a batch (Gal and Ghahramani, 2016), instead of others at each step."""
    input_dropout: Share | None = None
    """Share of values dropped after the embedding; null takes `dropout`."""
    output_dropout: Share | None = None
    """Share of values dropped before the output; null takes `dropout`."""
    embedding_dropout: Share = 0.0
    """Share of the vocabulary whose vectors are zeros for a batch (Gal and Ghahramani, 2016)."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return the numbers of weights of embedding, cells, projection and output."""
        widths = [self.embedding] + [self.hidden] * (self.layers - 1)
        recurrent = sum(map(self.layer_weights, widths))
        if self.adaptive is not None:
            vocabulary_size = max(vocabulary_size, self.adaptive.cutoffs[0] + 1)  # it may be a guess, and too low
            cutoffs = self.adaptive.cutoffs_below(vocabulary_size)
            biases = self.layers * self.hidden * self.biases + cutoffs[0] + len(cutoffs)
            output = self.adaptive.weights(self.hidden, vocabulary_size)
            return Weights(vocabulary_size * self.embedding, recurrent, output, biases)
        projection = self.hidden * self.embedding if self.tied and self.hidden != self.embedding else 0
        output = vocabulary_size * (self.embedding if self.tied else self.hidden) + projection
        biases = self.layers * self.hidden * self.biases + vocabulary_size
        return Weights(vocabulary_size * self.embedding, recurrent, output, biases, self.tied)

    @property
    def loaded(self) -> tuple[str, ...]:
        """The modules that the model loads by name."""
        return () if self.adaptive is None else ("nextchapter.models.outputs.adaptive",)

    @model_validator(mode="after")
    def _adaptive_is_not_tied(self) -> "RecurrentSpec":
        if self.adaptive is not None and self.tied:
            raise ValueError("tied: found true; an adaptive softmax has matrices of its own and needs false")
        return self

    def layer_weights(self, inputs: int) -> int:
        """Return the number of weights in the products of one layer: W_xh and W_hh of each block."""
        return self.gates * self.hidden * (inputs + self.hidden)

    def describe(self) -> str:
        """Return layers and width."""
        return f"{self.layers} x {self.hidden} hidden" if self.layers > 1 else f"{self.hidden} hidden"


class RecurrentMatrixSpec(RecurrentSpec):
    """What the recurrent networks add that multiply the last hidden state by a matrix W_hh."""

    weight_dropout: Share = 0.0
    """Share of the entries of W_hh set to 0 for a batch: DropConnect (Wan et al., 2013; Merity et al., 2018)."""


class HiddenMatrixSpec(RecurrentMatrixSpec):
    """What those of them add whose W_hh may be drawn in several ways."""

    recurrent_init: Literal["uniform", "normal", "orthogonal", "identity"] = "uniform"
    """Random start of W_hh: `uniform` up to 1/sqrt(hidden); `normal`, std 1/sqrt(hidden); `orthogonal`, each gate's
    block by itself (Saxe et al., 2014); `identity`, for a network without gates (Le et al., 2015)."""

    @model_validator(mode="after")
    def _identity_needs_no_gates(self) -> "HiddenMatrixSpec":
        if self.recurrent_init == "identity" and self.gates > 1:
            raise ValueError("recurrent_init: found 'identity'; a cell with gates allows uniform, normal, orthogonal")
        return self


class InputGatedSpec(RecurrentSpec):
    """What the recurrent networks share whose gates read the input alone: there is no W_hh."""

    takes_bfloat16: ClassVar[bool] = False

    def layer_weights(self, inputs: int) -> int:
        """Return the number of weights in the products of one layer: W_xh of each block."""
        return self.gates * self.hidden * inputs


class EmSpec(FamilySpec):
    """What the models that learn by expectation-maximisation have in common."""

    states: Annotated[int, Field(ge=1, le=65536)] = 256
    """Number of hidden states."""
    pseudo_count: Annotated[float, Field(ge=1e-6)] = 1.0
    """Counts added to each distribution, shared out as a frequency-only model would: no probability is ever 0."""
    step_power: Annotated[float, Field(gt=0.5, le=1)] = 0.6
    """kappa of online EM: batch t has about the weight (t + 1)^-kappa; a larger one forgets less."""

    @property
    def has_gradient(self) -> bool:
        """It learns by counting."""
        return False

    @property
    def described_states(self) -> int:
        """Number of hidden states, if their transitions can be written out."""
        return self.states if self.states <= MOST_DESCRIBED else 0

    def describe(self) -> str:
        """Return the number of states."""
        return f"{self.states} states"
