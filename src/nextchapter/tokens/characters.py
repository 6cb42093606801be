"""Characters as tokens: the alphabet of the training chapters, and bytes for all others."""

import json
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Self

import numpy as np

from nextchapter.spec.base import SpecError, canonical_json
from nextchapter.spec.tokens import CharactersSpec
from nextchapter.tokens.protocol import END_OF_CHAPTER, Tokenizer, begins_character, byte_text, utf8

_FIRST = 257
"""The id of the first character; below it stand the bytes and the end of a chapter."""


class CharactersTokenizer(Tokenizer):
    """Ids 0 to 255 are the bytes, 256 is the end of a chapter, then come the characters in the order of Unicode."""

    kind = "characters"
    end_of_chapter = 256

    def __init__(self, alphabet: str) -> None:
        """Take the characters that have a token of their own, in any order."""
        self.alphabet = "".join(sorted(set(alphabet)))
        self.vocabulary_size = _FIRST + len(self.alphabet)

    @classmethod
    def train(cls, texts: Iterable[str], spec: CharactersSpec) -> Self:
        """Take the characters that occur often enough."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        if not counts:
            raise SpecError("the training chapters hold no text to learn tokens from; add books to the shelf")
        chosen = [character for character, count in counts.items() if count >= spec.minimum_count]
        if not chosen:
            most = max(counts.values())
            raise SpecError(
                f"minimum_count: found {spec.minimum_count}; no character occurs more than {most} times in the "
                f"training chapters. Set tokenizers.NAME.minimum_count to {most} or less, or add books to the shelf"
            )
        return cls("".join(chosen))

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Return the tokenizer of an alphabet."""
        return cls(json.loads(payload)["alphabet"])

    def payload(self) -> bytes:
        """Return the alphabet as JSON."""
        return canonical_json({"alphabet": self.alphabet}).encode()

    def encode_array(self, text: str) -> np.ndarray:
        """Return an id for each character of the alphabet, and one for each byte of the others, int32 [token]."""
        utf8(text)
        codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
        ids: np.ndarray = self._ids[codes]
        unknown = ids < 0
        if not unknown.any():
            return ids
        lengths = np.where(unknown, 1 + (codes > 0x7F) + (codes > 0x7FF) + (codes > 0xFFFF), 1)
        spread = np.repeat(ids, lengths)
        spelled = codes[unknown].tobytes().decode("utf-32-le").encode("utf-8")
        spread[spread < 0] = np.frombuffer(spelled, dtype=np.uint8)
        return spread

    @cached_property
    def _ids(self) -> np.ndarray:
        """The id of each code point, -1 where it has none, int32 [code point]."""
        ids = np.full(0x110000, -1, dtype=np.int32)
        ids[[ord(character) for character in self.alphabet]] = np.arange(_FIRST, self.vocabulary_size)
        return ids

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of token ids."""
        return b"".join(self._spellings[token] for token in tokens).decode("utf-8", "replace")

    @cached_property
    def _spellings(self) -> list[bytes]:
        """The UTF-8 bytes of each token."""
        return [*(bytes([byte]) for byte in range(256)), b"", *(letter.encode() for letter in self.alphabet)]

    def token_text(self, token: int) -> str:
        """Return the character; `<0xC3>` for a byte of others."""
        if token == self.end_of_chapter:
            return END_OF_CHAPTER
        return byte_text(token) if token < self.end_of_chapter else self.alphabet[token - _FIRST]

    def token_characters(self) -> np.ndarray:
        """Return 1 for a character or the byte that begins one, and 0 for the other bytes, int64 [token]."""
        counts = np.ones(self.vocabulary_size, dtype=np.int64)
        counts[:_FIRST] = [*(begins_character(byte) for byte in range(256)), 0]
        return counts

    def is_boundary(self, token: int) -> bool:
        """Return whether the token is no byte: no code point runs on through it."""
        return token >= self.end_of_chapter


TOKENIZER = CharactersTokenizer
