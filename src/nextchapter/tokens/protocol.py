"""What every tokenizer does: text to ids and back, and the count of what each id stands for.

A tokenizer is open when `decode(encode(text)) == text` for any Unicode text; one with `<unk>` is closed, and says what
the spelling of its unknown words costs.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from nextchapter.spec.base import canonical_json
from nextchapter.store.files import atomic_path

END_OF_CHAPTER = "<end-of-chapter>"
_HEADER = re.compile(rb'\{"kind":"([a-z]+)"\}\n')


class EncodedText(NamedTuple):
    """A text as tokens, and what its unknown words hold."""

    tokens: np.ndarray
    """Ids without the end of the chapter [token]."""
    characters: int
    """Code points of the text."""
    unknown_characters: int = 0
    """Those that stand in unknown words."""
    spelling_nats: float = 0.0
    """What the unknown words cost to spell, in nats."""


class Tokenizer(ABC):
    """Text to token ids and back."""

    kind: ClassVar[str]
    """Name of the module, and of the kind in the specification."""
    vocabulary_size: int
    end_of_chapter: int
    """The token behind the last of a chapter."""
    end_is_line: bool = False
    """Whether the end of a chapter is also that of each line, so that drawing it ends no chapter."""
    unknown: int | None = None
    """`<unk>` of a closed vocabulary; None where the tokenizer is open."""

    @classmethod
    @abstractmethod
    def train(cls, texts: Iterable[str], spec: Any) -> Self:
        """Learn from some texts; the result depends on texts and specification alone.

        Args:
            texts: are gone through more than once.
            spec: the specification of this kind.

        Raises:
            SpecError: the texts do not hold what the specification asks for.
        """

    @classmethod
    @abstractmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Return the tokenizer that wrote a payload."""

    @abstractmethod
    def payload(self) -> bytes:
        """Return all that was learned; equal tokenizers give equal bytes."""

    @abstractmethod
    def encode_array(self, text: str) -> np.ndarray:
        """Return the token ids of a text, integers [token].

        Raises:
            ValueError: the text holds a lone surrogate, which no Unicode text does.
        """

    @abstractmethod
    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of token ids; an end of chapter has none, bytes that are no UTF-8 become U+FFFD."""

    @abstractmethod
    def token_text(self, token: int) -> str:
        """Return how one token looks: its characters, or a name in angle brackets."""

    @abstractmethod
    def token_characters(self) -> np.ndarray:
        """Return for each token the number of code points it stands for, int64 [token]."""

    @abstractmethod
    def is_boundary(self, token: int) -> bool:
        """Return whether tokens may be cut before this one: both parts then decode to what the whole does."""

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text as a list; the errors are those of `encode_array`."""
        ids: list[int] = self.encode_array(text).tolist()
        return ids

    def encode_text(self, text: str) -> EncodedText:
        """Return a text as tokens, with what an account of its bits a character needs."""
        return EncodedText(self.encode_array(text), len(text))

    def count_characters(self, tokens: np.ndarray) -> np.ndarray:
        """Return the code points that each token of a chapter stands for, int64 [token].

        With those of its unknown words they add up to the length of the text.
        """
        counts: np.ndarray = self._characters[tokens]
        return counts

    def token_ends(self, text: str, tokens: np.ndarray) -> np.ndarray:
        """Return where in a text each of its tokens ends, in code points, int64 [token].

        Args:
            text: a chapter.
            tokens: what it was encoded as, closed by the end of the chapter, which ends where the text does.
        """
        ends: np.ndarray = np.minimum(np.cumsum(self.count_characters(tokens)), len(text))
        return ends

    @cached_property
    def _characters(self) -> np.ndarray:
        return self.token_characters()

    def save(self, path: Path | str) -> None:
        """Write the tokenizer to a file, atomically: a line of JSON that names its kind, then its payload."""
        header = canonical_json({"kind": self.kind}).encode()
        with atomic_path(path) as temporary:
            temporary.write_bytes(header + b"\n" + self.payload())

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Return the tokenizer of a file of this kind.

        Raises:
            ValueError: the file holds another kind, or no tokenizer.
        """
        kind, payload = read_tokenizer_file(path)
        if kind != cls.kind:
            raise ValueError(f"{path} holds a tokenizer of kind {kind!r}, not {cls.kind!r}")
        return cls.from_payload(payload)


def read_tokenizer_file(path: Path | str) -> tuple[str, bytes]:
    """Return kind and payload of a tokenizer file.

    Raises:
        ValueError: the file holds no tokenizer of this project.
    """
    content = Path(path).read_bytes()
    header = _HEADER.match(content)
    if header is None:
        raise ValueError(f'{path} holds no tokenizer: its first line must be like {{"kind":"unigram"}}')
    return header[1].decode(), content[header.end() :]


def utf8(text: str) -> bytes:
    """Return the UTF-8 bytes of a text.

    Raises:
        ValueError: the text holds a lone surrogate, which no Unicode text does.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(f"lone surrogate {text[error.start]!a} at character {error.start}") from error


def byte_text(byte: int) -> str:
    """Return how a byte looks: an ASCII character as itself, any other as `<0xC3>`."""
    return chr(byte) if 0x20 <= byte < 0x7F or byte in b"\n\t" else f"<0x{byte:02X}>"


def begins_character(byte: int) -> bool:
    """Return whether a byte of UTF-8 begins a code point; the others continue one."""
    return byte & 0xC0 != 0x80
