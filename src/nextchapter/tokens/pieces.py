"""Sentencepiece's models with byte fallback, made to return any text as it was: what `unigram` and `bpe` share."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, Self

import numpy as np
import sentencepiece

from nextchapter.spec.base import SpecError
from nextchapter.spec.tokens import SMALLEST_VOCABULARY, PiecesSpec
from nextchapter.tokens.protocol import END_OF_CHAPTER, Tokenizer, begins_character, byte_text, utf8
from nextchapter.tokens.texts import sample_texts

SPACE_MARK = "\u2581"
"""Sentencepiece's sign for a space; where a text itself holds it, it is spelled in bytes."""
_CHUNK_CHARACTERS = 2000


class PieceTokenizer(Tokenizer):
    """A trained sentencepiece model; `kind` is what sentencepiece calls its type.

    Ids 0 to 258 are `<unk>` (never used: bytes spell what is unknown), the end of a chapter, and the 256 bytes with
    the two line breaks among them.
    """

    kind: ClassVar[str]

    def __init__(self, model: bytes) -> None:
        """Load a trained model from its bytes."""
        self.model = model
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.vocabulary_size: int = self._processor.vocab_size()
        self.end_of_chapter: int = self._processor.eos_id()
        self._space_mark_ids = [self._processor.piece_to_id(f"<0x{byte:02X}>") for byte in SPACE_MARK.encode()]

    @classmethod
    def train(cls, texts: Iterable[str], spec: PiecesSpec) -> Self:
        """Learn the vocabulary of some texts, or of an even sample of them where they exceed `train_mb`.

        Raises:
            SpecError: the texts are too small for the vocabulary asked for; the message proposes a size.
        """
        sample = sample_texts(texts, spec.train_mb)
        alphabet = _alphabet(sample, spec)
        if not alphabet - {"\n"}:
            raise SpecError("the training chapters hold no text to learn tokens from; add books to the shelf")
        try:
            return cls(_learn(cls.kind, sample, alphabet, spec.vocabulary_size))
        except RuntimeError as error:
            asked, largest = spec.vocabulary_size, _largest_size(str(error))
            if largest is None:
                raise SpecError(f"vocabulary_size: found {asked}; no tokens can be learned: {error}") from error
        proposed = cls._fitting_size(sample, spec, largest)
        remedy = f"Set tokenizers.NAME.vocabulary_size to {proposed}, or add" if proposed else "Add"
        raise SpecError(
            f"vocabulary_size: found {asked}; the training text has pieces for at most {largest}. "
            f"{remedy} books to the shelf"
        )

    @classmethod
    def _fitting_size(cls, texts: Sequence[str], spec: PiecesSpec, size: int) -> int | None:
        """Return a size that the texts are enough for; a smaller one has a smaller alphabet, and may need less."""
        while size >= SMALLEST_VOCABULARY:
            smaller = spec.model_copy(update={"vocabulary_size": size})
            try:
                _learn(cls.kind, texts, _alphabet(texts, smaller), size)
            except RuntimeError as error:
                size = min(_largest_size(str(error)) or 0, size - 1)
            else:
                return size
        return None

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Return the tokenizer of a sentencepiece model."""
        return cls(payload)

    def payload(self) -> bytes:
        """Return the model as sentencepiece wrote it."""
        return self.model

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; the errors are those of `encode_array`."""
        utf8(text)
        parts = [self._processor.encode(part) for part in text.split(SPACE_MARK)]
        joined: list[int] = list(parts[0])
        for part in parts[1:]:
            joined += self._space_mark_ids + part
        return joined

    def encode_array(self, text: str) -> np.ndarray:
        """Return the token ids of a text, int32 [token]."""
        return np.array(self.encode(text), dtype=np.int32)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of token ids."""
        kept = [int(token) for token in tokens if token != self.end_of_chapter]
        return str(self._processor.decode(kept)) if kept else ""

    def token_text(self, token: int) -> str:
        """Return how one token looks: its characters, or `<0xC3>` for a byte of others."""
        piece = str(self._processor.id_to_piece(token))
        return byte_text(_byte_of(piece)) if self._processor.is_byte(token) else piece.replace(SPACE_MARK, " ")

    def token_characters(self) -> np.ndarray:
        """Return for each token the number of code points it stands for, int64 [token].

        A byte counts as one where it begins a code point and as none where it continues one, so that the counts of a
        text's tokens add up to its length.
        """
        counts = np.zeros(self.vocabulary_size, dtype=np.int64)
        for token in range(self.vocabulary_size):
            piece = self._processor.id_to_piece(token)
            if self._processor.is_byte(token):
                counts[token] = begins_character(_byte_of(piece))
            elif not (self._processor.is_control(token) or self._processor.is_unknown(token)):
                counts[token] = len(piece)
        return counts

    def is_boundary(self, token: int) -> bool:
        """Return whether the token begins with a space: no code point runs on through it."""
        return self.token_text(token).startswith(" ")


def _byte_of(piece: str) -> int:
    """Return the byte that a piece like `<0xC3>` stands for."""
    return int(piece[1:-1], 16)


def _alphabet(texts: Iterable[str], spec: PiecesSpec) -> frozenset[str]:
    """Return the characters that get tokens of their own: the frequent ones, on at most half of the vocabulary.

    In a script of thousands of characters the rare ones are left to the bytes, so that any language fits any size.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    for mark in (SPACE_MARK, "\0"):
        del counts[mark]
    enough = spec.character_coverage * counts.total()
    room = max((spec.vocabulary_size - 260) // 2, 1)
    chosen, covered = set(), 0
    for character, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:room]:
        if covered >= enough:
            break
        chosen.add(character)
        covered += count
    return frozenset(chosen)


def _chunks(texts: Iterable[str], alphabet: frozenset[str]) -> Iterator[str]:
    """Cut texts into pieces of the alphabet that sentencepiece accepts as sentences, at spaces where there are any."""
    inside = "".join(re.escape(character) for character in sorted(alphabet - {"\n"}))
    run = re.compile(f"[{inside}]+")
    for text in texts:
        for match in run.finditer(text):
            line, start = match[0], 0
            while start < len(line):
                end = start + _CHUNK_CHARACTERS
                if end < len(line) and line.rfind(" ", start + 1, end) > 0:
                    end = line.rfind(" ", start + 1, end)
                yield line[start:end]
                start = end


def _learn(kind: str, texts: Iterable[str], alphabet: frozenset[str], vocabulary_size: int) -> bytes:
    """Return a trained model of sentencepiece's type `kind`.

    Raises:
        RuntimeError: in sentencepiece's words; `_largest_size` reads them.
    """
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_chunks(texts, alphabet),
        model_writer=written,
        model_type=kind,
        vocab_size=vocabulary_size,
        character_coverage=1.0,  # of the alphabet chosen by us
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        user_defined_symbols=["\n\n", "\n"],
        max_sentence_length=16 * _CHUNK_CHARACTERS,
        unk_id=0,
        eos_id=1,
        eos_piece=END_OF_CHAPTER,
        bos_id=-1,
        pad_id=-1,
        num_threads=1,  # another number learns another vocabulary
        minloglevel=2,
    )
    return written.getvalue()


def _largest_size(message: str) -> int | None:
    """Return the largest vocabulary that sentencepiece offers in an error, or None where it objects otherwise."""
    found = re.search(r"too high.*<= (\d+)", message, re.DOTALL)
    return int(found[1]) if found else None
