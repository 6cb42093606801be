"""Equal probabilities for all tokens, p(w) = 1 / V: the floor under all models."""

import math
from typing import ClassVar, Literal

from nextchapter.models.unigram import Unigram
from nextchapter.spec.models import FamilySpec
from nextchapter.tokens.stream import TokenStream


class UniformSpec(FamilySpec):
    """Equal probabilities for all tokens: the floor."""

    reads_once: ClassVar[bool] = True

    kind: Literal["uniform"] = "uniform"
    """Says which of the families this is."""


class Uniform(Unigram):
    """A unigram that never counts."""

    tables = ()

    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Learn nothing; write 1 / V in the precision that the model now has."""
        del stream, end_of_chapter
        self.get_buffer("log_probs").fill_(-math.log(self.vocabulary_size))


MODEL, SPEC = Uniform, UniformSpec
