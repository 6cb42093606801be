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
    judged_tokens: Annotated[int, Field(ge=1)] = 10_000
    """Test tokens, about, by which accuracy and calibration are measured; each needs the whole vocabulary."""
    block_characters: Annotated[int, Field(ge=1)] = 2000
    """Length of the blocks, cut within chapters and at the same places for all runs, by which runs are compared."""
    bootstrap_draws: Annotated[int, Field(ge=100, le=1_000_000)] = 2000
    """Number of bootstrap samples behind the 95 % interval."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Seed of the bootstrap."""
    passage_tokens: Annotated[int, Field(ge=1, le=1000)] = 40
    """Length of the passage of which true and predicted words are shown side by side."""
