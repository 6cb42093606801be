"""The frequencies of the tokens, whatever stands before: p(w) = (c(w) + 1) / (N + V), by Laplace's rule of succession.

c counts the token among the N of the training split, and V is the size of the vocabulary.
"""

import math
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from nextchapter.models.protocol import CountedModel, State
from nextchapter.spec.models import FamilySpec, Weights
from nextchapter.tokens.stream import TokenStream


class UnigramSpec(FamilySpec):
    """How frequent each token is, whatever stands before it: what any model must beat."""

    reads_once: ClassVar[bool] = True

    kind: Literal["unigram"] = "unigram"
    """Says which of the families this is."""

    def weights(self, vocabulary_size: int) -> Weights:
        """Return a number a token."""
        return Weights(biases=vocabulary_size)


class Unigram(CountedModel):
    """One distribution for all places; there is nothing to remember."""

    def __init__(self, vocabulary_size: int, spec: FamilySpec) -> None:
        """Start with equal probabilities; there is nothing to choose in the specification."""
        del spec
        super().__init__()
        self.vocabulary_size = vocabulary_size
        self.register_buffer("log_probs", torch.full((vocabulary_size,), -math.log(vocabulary_size)))

    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Count the tokens; the end of a chapter is one of them."""
        del end_of_chapter
        counts = stream.counts(self.vocabulary_size)
        probabilities = (counts + 1) / (len(stream.tokens) + self.vocabulary_size)
        self.get_buffer("log_probs").copy_(torch.from_numpy(np.log(probabilities)))

    def initial_state(self, batch: int) -> State:
        """Return a state without content."""
        return torch.empty(batch, 0, device=self.device)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p, the same after each token."""
        return self.get_buffer("log_probs").expand(*tokens.shape, -1), state


MODEL, SPEC = Unigram, UnigramSpec
