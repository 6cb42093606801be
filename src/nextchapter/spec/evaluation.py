"""How a trained model is scored."""

from typing import Annotated

from pydantic import Field

from nextchapter.spec.base import Spec


class EvaluationSpec(Spec):
    """Scores on chapters that training has not seen."""

    batch_size: Annotated[int, Field(ge=1, le=65536)] = 16
    """Chapters scored side by side; the score does not depend on it."""
    chunk_tokens: Annotated[int, Field(ge=1)] = 256
    """Tokens scored at once; the score does not depend on it."""
    block_tokens: Annotated[int, Field(ge=1)] = 500
    """Length of the blocks, cut within chapters, that the bootstrap draws."""
    bootstrap_draws: Annotated[int, Field(ge=100, le=1_000_000)] = 2000
    """Number of bootstrap samples behind the 95 % interval."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the bootstrap."""
    passage_tokens: Annotated[int, Field(ge=1, le=1000)] = 40
    """Length of the passage of which true and predicted words are shown side by side."""
