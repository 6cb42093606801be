"""How a chapter is written."""

from typing import Annotated

from pydantic import Field, model_validator

from nextchapter.spec.base import Spec


def lengths_for(words: int) -> dict[str, int]:
    """Return the least and the most words of a chapter of about so many words at most."""
    return {"words_max": words, "words_min": min(words, max(1, words // 3))}


class WritingSpec(Spec):
    """Sampling, and the length of the chapter."""

    opening: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    """First words of the chapter; null starts from a random word of the shelf."""
    words_min: Annotated[int, Field(ge=1)] = 300
    """The chapter does not end before this many words."""
    words_max: Annotated[int, Field(ge=1, le=1_000_000)] = 900
    """The chapter ends with the first sentence that ends after this many words."""
    temperature: Annotated[float, Field(ge=0, le=10)] = 0.75
    """Divides the log-probabilities; 0 always takes the likeliest token."""
    top_k: Annotated[int, Field(ge=1)] | None = None
    """Sample among this many likeliest tokens; null among all."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    """Sample among the likeliest tokens that hold this much probability (Holtzman et al., 2020)."""
    min_p: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Sample among the tokens at least this share as likely as the likeliest (Nguyen et al., 2024); 0 among all."""
    typical_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Sample among the tokens nearest to the expected surprise that hold this much probability (Meister et al.)."""
    repetition_penalty: Annotated[float, Field(ge=1, le=10)] = 1.2
    """Power to which the probabilities of tokens are raised that were written shortly before; 1 leaves them."""
    repetition_window: Annotated[int, Field(ge=1)] = 64
    """How many tokens back `repetition_penalty` looks."""
    no_repeat_ngram: Annotated[int, Field(ge=2)] | None = None
    """No run of so many tokens stands twice (Paulus et al., 2018); null lets it."""
    loop_guard: bool = True
    """Break off a run of tokens that has come three times in a row."""
    beams: Annotated[int, Field(ge=1, le=64)] = 1
    """Above 1: no sampling, but a search for the likeliest text with so many candidates a step. Known for its
    repetitions; `temperature` and what keeps a part of the tokens are passed over."""
    candidates: Annotated[int, Field(ge=1, le=256)] = 1
    """Chapters that are written side by side; the best by the score in docs/writing.md is kept."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the random word and of the sampling."""

    @model_validator(mode="after")
    def _least_below_most(self) -> "WritingSpec":
        if self.words_min > self.words_max:
            raise ValueError(f"words_min ({self.words_min}) must not be above words_max ({self.words_max})")
        return self

    @model_validator(mode="after")
    def _beams_or_candidates(self) -> "WritingSpec":
        if self.beams > 1 and self.candidates > 1:
            raise ValueError(f"candidates: found {self.candidates}; with beams ({self.beams}) it must be 1")
        return self
