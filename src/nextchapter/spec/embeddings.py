"""Vectors of tokens that are learned before, and apart from, any language model."""

import math
from abc import ABC, abstractmethod
from typing import Annotated, Literal

from pydantic import Field, model_validator

from nextchapter.spec.base import Name, Positive, Spec

BYTES_PER_PAIR = 200
"""Peak for each pair of a minibatch of GloVe while it is sorted, both orders, or stepped through."""
Rate = Annotated[float, Field(gt=0, le=10)]


class VectorSpec(Spec, ABC):
    """What all embeddings have. Time and disk that they take are estimated before a run."""

    tokenizer: Name
    """One of the study's `tokenizers`: its tokens get the vectors."""
    dimensions: Annotated[int, Field(ge=2, le=16384)] = 128
    """Width of the vectors."""
    min_count: Positive = 5
    """A token seen less often in the training chapters gets no vector and is passed over."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Seed of the first vectors and of the order of the examples."""

    @abstractmethod
    def describe(self) -> str:
        """Return what it is learned by, for the screens."""

    @abstractmethod
    def operations(self, tokens: float) -> float:
        """Return about how many floating point operations it takes to learn from so many tokens."""

    def disk_bytes(self, tokens: float, vocabulary_size: int) -> float:
        """Return about what the files take: vectors, the same as text, and both as MLflow keeps them."""
        del tokens
        return 2 * (_FLOAT_BYTES + _FLOAT_TEXT_BYTES) * vocabulary_size * self.dimensions


_FLOAT_BYTES, _FLOAT_TEXT_BYTES = 4, 12
_OPERATIONS_A_PLACE = 1200
"""Of GloVe: what counting a place where two tokens stand together takes, in operations that take as long."""
_BYTES_A_PAIR_ON_DISK = 64
"""Of GloVe: its count, twice while runs are merged, and both of its orders in a minibatch."""


class Word2vecSpec(VectorSpec):
    """Skip-gram or CBOW with negative sampling (Mikolov et al., 2013), by gensim, on one thread: repeatable."""

    kind: Literal["word2vec"] = "word2vec"
    """Says which of the kinds this is."""
    variant: Literal["skip-gram", "cbow"] = "skip-gram"
    """Predict the neighbours from the token, or the token from the mean of its neighbours."""
    window: Annotated[int, Field(ge=1, le=255)] = 5
    """Largest distance of a neighbour, in tokens; for each place one up to this is drawn."""
    negative: Annotated[int, Field(ge=1, le=100)] = 5
    """Noise tokens drawn for each neighbour."""
    epochs: Positive = 5
    """Passes over the training split."""
    learning_rate: Rate = 0.025
    """Learning rate at the start; it falls linearly to 0.0001."""
    subsampling: Annotated[float, Field(ge=0, le=1)] = 1e-3
    """Threshold of frequency above which tokens are thinned out at random; 0 thins none."""

    def describe(self) -> str:
        """Return the variant too."""
        return f"{self.kind}, {self.variant}"

    def operations(self, tokens: float) -> float:
        """Return about how many floating point operations it takes to learn from so many tokens.

        A product of two vectors of d numbers takes 2 d, and 4 d more to move both; there are `window` + 1 neighbours on
        average, and for each, or for their mean, one token to tell from `negative` others.
        """
        neighbours, told = self.window + 1, 6 * (self.negative + 1)
        a_token = neighbours * told if self.variant == "skip-gram" else neighbours * 4 + told
        return tokens * self.epochs * self.dimensions * a_token


class GloveSpec(VectorSpec):
    """GloVe (Pennington et al., 2014): least squares on the logarithms of co-occurrence counts."""

    kind: Literal["glove"] = "glove"
    """Says which of the kinds this is."""
    window: Annotated[int, Field(ge=1, le=255)] = 40
    """Largest distance of a neighbour, in tokens; a neighbour counts 1/distance."""
    x_max: Annotated[float, Field(gt=0)] = 10.0
    """Count from which a pair has the full weight 1; the paper's 100 suits corpora of billions of tokens."""
    alpha: Annotated[float, Field(ge=0, le=2)] = 0.75
    """Exponent of the weight below that."""
    epochs: Positive = 15
    """Passes over the co-occurrences."""
    learning_rate: Rate = 0.1
    """Step size of AdaGrad."""
    batch_pairs: Annotated[int, Field(ge=1000)] = 300_000
    """About how many pairs of tokens share a step."""
    memory_mb: Annotated[int, Field(ge=1)] = 256
    """Bound of the arrays held while co-occurrences are counted and shuffled; the rest lies on disk. Results do not
    depend on it: a bound too small for a minibatch is refused."""

    def describe(self) -> str:
        """Return the kind."""
        return self.kind

    def operations(self, tokens: float) -> float:
        """Return about how many floating point operations it takes to learn from so many tokens.

        Counting, and then for both orders of each pair three products of vectors, twice as many operations as numbers.
        """
        counting = _OPERATIONS_A_PLACE * tokens * self.window
        return counting + self.epochs * 2 * 3 * 2 * self.dimensions * self._pairs(tokens)

    def disk_bytes(self, tokens: float, vocabulary_size: int) -> float:
        """Return about what the files take, those that come and go included."""
        return super().disk_bytes(tokens, vocabulary_size) + _BYTES_A_PAIR_ON_DISK * self._pairs(tokens)

    def _pairs(self, tokens: float) -> float:
        """Return about how many pairs there are in so many tokens of prose: 3.5 million in a million, window 10."""
        return min(tokens * self.window, 3.5e6 * math.pow(tokens / 1e6, 0.73) * math.pow(self.window / 10, 0.66))

    @model_validator(mode="after")
    def _a_minibatch_fits(self) -> "GloveSpec":
        needed_mb = -(-self.batch_pairs * BYTES_PER_PAIR // 2**20)
        if needed_mb > self.memory_mb:
            most = self.memory_mb * 2**20 // BYTES_PER_PAIR
            raise ValueError(
                f"memory_mb: found {self.memory_mb}; minibatches of {self.batch_pairs:,} pairs need {needed_mb}. "
                f"Allowed: memory_mb of at least {needed_mb}, or batch_pairs of at most {most:,}"
            )
        return self


EmbeddingSpec = Annotated[Word2vecSpec | GloveSpec, Field(discriminator="kind")]
