"""How text becomes numbers."""

from typing import Annotated, Literal

from pydantic import Field

from nextchapter.spec.base import Spec

SMALLEST_VOCABULARY = 270
"""The bytes, the special tokens, and a few letters."""


class UnigramSpec(Spec):
    """Sentencepiece's unigram model with byte fallback: any Unicode text comes back as it was."""

    kind: Literal["unigram"] = "unigram"
    """Says which of the kinds this is."""
    vocabulary_size: Annotated[int, Field(ge=SMALLEST_VOCABULARY, le=65535)] = 2000
    """Number of tokens, the 256 byte tokens and the special ones included."""
    character_coverage: Annotated[float, Field(gt=0, le=1)] = 0.9995
    """Share of the characters that get tokens of their own; the rest is spelled in bytes, and so
    is what would fill more than half of the vocabulary."""


TokenizerSpec = UnigramSpec
