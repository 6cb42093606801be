"""The bytes of UTF-8 as tokens: 256 of them, and the end of a chapter."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from nextchapter.tokens.protocol import END_OF_CHAPTER, Tokenizer, begins_character, byte_text, utf8


class BytesTokenizer(Tokenizer):
    """Ids 0 to 255 are the bytes, 256 is the end of a chapter."""

    kind = "bytes"
    vocabulary_size = 257
    end_of_chapter = 256

    @classmethod
    def train(cls, texts: Iterable[str], spec: Any) -> Self:  # noqa: ARG003 - there is nothing to learn
        """Return the tokenizer; it is the same for all texts."""
        return cls()

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:  # noqa: ARG003 - there is nothing to read
        """Return the tokenizer."""
        return cls()

    def payload(self) -> bytes:
        """Return nothing: nothing was learned."""
        return b""

    def encode_array(self, text: str) -> np.ndarray:
        """Return the bytes of a text, uint8 [token]."""
        return np.frombuffer(utf8(text), dtype=np.uint8)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of some bytes."""
        return bytes(token for token in tokens if token != self.end_of_chapter).decode("utf-8", "replace")

    def token_text(self, token: int) -> str:
        """Return how a byte looks: an ASCII character as itself, any other as `<0xC3>`."""
        return END_OF_CHAPTER if token == self.end_of_chapter else byte_text(token)

    def token_characters(self) -> np.ndarray:
        """Return 1 for each byte that begins a code point, and 0 for the others, int64 [token]."""
        return np.array([*(begins_character(byte) for byte in range(256)), 0], dtype=np.int64)

    def is_boundary(self, token: int) -> bool:
        """Return whether the byte is ASCII: no code point runs on through it."""
        return token < 0x80


TOKENIZER = BytesTokenizer
