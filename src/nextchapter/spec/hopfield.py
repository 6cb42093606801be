"""The associative memory from which the road to recurrent networks begins."""

from typing import Annotated

from pydantic import Field, model_validator

from nextchapter.spec.base import Spec

PASSAGE_NEURONS_MAX = 8192


class HopfieldSpec(Spec):
    """A Hopfield network and its modern successor: how many patterns they hold, and passages of the shelf restored."""

    neurons: Annotated[int, Field(ge=50, le=2000)] = 500
    """Size of the networks whose capacity is measured with random patterns."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 5
    """Sets of random patterns at each load; the figure shows their mean and range."""
    flipped_share: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    """Share of the neurons that are flipped in what a network is shown."""
    passages: Annotated[int, Field(ge=2, le=1000)] = 256
    """Most passages of the training text that are stored."""
    passage_characters: Annotated[int, Field(ge=8, le=500)] = 48
    """Length of a passage."""
    character_bits: Annotated[int, Field(ge=8, le=64)] = 32
    """Neurons for each character of a passage."""
    corrupted_share: Annotated[float, Field(gt=0, le=0.5)] = 0.2
    """Share of the characters that are wrong in what a network is shown."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    """Seed of patterns, codes, errors, and the order in which neurons are asked."""

    @model_validator(mode="after")
    def _passage_fits(self) -> "HopfieldSpec":
        neurons = self.passage_characters * self.character_bits
        if neurons > PASSAGE_NEURONS_MAX:
            found = f"passage_characters x character_bits: found {neurons} neurons"
            raise ValueError(f"{found}; at most {PASSAGE_NEURONS_MAX}")
        return self
