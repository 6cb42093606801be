"""How text becomes numbers; `kind` is the name of the module in `nextchapter.tokens`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nextchapter.spec.base import Spec

SMALLEST_VOCABULARY = 270
"""The bytes, the special tokens, and a few letters."""


class BytesSpec(Spec):
    """The 256 bytes of UTF-8: nothing to learn, any text comes back as it was."""

    kind: Literal["bytes"] = "bytes"
    """Says which of the kinds this is."""

    expected_size: ClassVar[int] = 257
    """Vocabulary to reckon with before the tokenizer is trained."""
    characters_per_token: ClassVar[float] = 1.0
    """Of English prose; only estimates depend on it."""
    unit: ClassVar[str] = "bytes"
    """What a token is, for the screens."""


class CharactersSpec(Spec):
    """The characters of the training chapters; all others are spelled in bytes, so any text comes back as it was."""

    kind: Literal["characters"] = "characters"
    """Says which of the kinds this is."""
    minimum_count: Annotated[int, Field(ge=1)] = 5
    """A character gets a token of its own if it occurs this often in the training chapters."""

    expected_size: ClassVar[int] = 350
    characters_per_token: ClassVar[float] = 1.0
    unit: ClassVar[str] = "characters"


class WordsSpec(Spec):
    """Words, punctuation and line breaks; words outside of the vocabulary are `<unk>`, and pay for their spelling."""

    kind: Literal["words"] = "words"
    """Says which of the kinds this is."""
    vocabulary_size: Annotated[int, Field(ge=10, le=2**31)] | None = 20_000
    """Most tokens that the vocabulary may have, the special ones included; null: no limit."""
    minimum_count: Annotated[int, Field(ge=1)] = 2
    """A word is in the vocabulary only if it occurs this often in the training chapters."""
    counted_words: Annotated[int, Field(ge=1000)] = 3_000_000
    """Most different words held while they are counted, which bounds the memory: a million takes about 120 MB. Below it
    counts are exact; on a larger shelf those that are rarest by then are forgotten whenever there are more."""
    pretokenized: bool = False
    """Take what stands between white space as it is, with `<eos>` a line: for benchmark files such as WikiText."""

    characters_per_token: ClassVar[float] = 4.5
    unit: ClassVar[str] = "words"

    @property
    def expected_size(self) -> int:
        """Vocabulary to reckon with before the tokenizer is trained."""
        return self.vocabulary_size or 33_000


class PiecesSpec(Spec):
    """What sentencepiece's two models share."""

    vocabulary_size: Annotated[int, Field(ge=SMALLEST_VOCABULARY, le=65535)] = 2000
    """Number of tokens, the 256 byte tokens and the special ones included."""
    character_coverage: Annotated[float, Field(gt=0, le=1)] = 0.9995
    """Share of the characters that get tokens of their own; the rest is spelled in bytes, and so
    is what would fill more than half of the vocabulary."""
    train_mb: Annotated[float, Field(gt=0)] = 50.0
    """Megabytes of text to learn from: from a larger shelf, pieces spread evenly over it. This bounds the
    memory: learning takes about 20 times as much, at most 40."""

    characters_per_token: ClassVar[float] = 3.5
    unit: ClassVar[str] = "word pieces"

    @property
    def expected_size(self) -> int:
        """Vocabulary to reckon with before the tokenizer is trained."""
        return self.vocabulary_size


class UnigramSpec(PiecesSpec):
    """Sentencepiece's unigram model with byte fallback: any Unicode text comes back as it was."""

    kind: Literal["unigram"] = "unigram"
    """Says which of the kinds this is."""


class BpeSpec(PiecesSpec):
    """Sentencepiece's byte-pair encoding with byte fallback: any Unicode text comes back as it was."""

    kind: Literal["bpe"] = "bpe"
    """Says which of the kinds this is."""


TokenizerSpec = Annotated[BytesSpec | CharactersSpec | WordsSpec | UnigramSpec | BpeSpec, Field(discriminator="kind")]
