"""How a chapter is written."""

from typing import Annotated

from pydantic import Field, model_validator

from nextchapter.spec.base import Spec


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
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the random word and of the sampling."""

    @model_validator(mode="after")
    def _least_below_most(self) -> "WritingSpec":
        if self.words_min > self.words_max:
            msg = f"words_min ({self.words_min}) must not be above words_max ({self.words_max})"
            raise ValueError(msg)
        return self
