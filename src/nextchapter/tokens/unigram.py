"""Sentencepiece's unigram tokenizer (Kudo, 2018) with byte fallback, made to return any text as it was."""

import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np
import sentencepiece

from nextchapter.spec.base import SpecError
from nextchapter.spec.tokens import SMALLEST_VOCABULARY, UnigramSpec
from nextchapter.store.files import atomic_path

SPACE_MARK = "\u2581"
"""Sentencepiece's sign for a space; where a text itself holds it, it is spelled in bytes."""
_CHUNK_CHARACTERS = 2000


class UnigramTokenizer:
    """Text to token ids and back, exactly.

    Ids 0 to 258 are `<unk>` (never used: bytes spell what is unknown), the end of a chapter, and the 256 bytes with
    the two line breaks among them.
    """

    def __init__(self, model: bytes) -> None:
        """Load a trained model from its bytes."""
        self.model = model
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.vocabulary_size: int = self._processor.vocab_size()
        self.end_of_chapter: int = self._processor.eos_id()
        self._space_mark_ids = [self._processor.piece_to_id(f"<0x{byte:02X}>") for byte in SPACE_MARK.encode()]

    @classmethod
    def train(cls, texts: Collection[str], spec: UnigramSpec) -> "UnigramTokenizer":
        """Learn the vocabulary of some texts; the result depends on texts and specification alone.

        Raises:
            SpecError: the texts are too small for the vocabulary asked for; the message proposes a size.
        """
        alphabet = _alphabet(texts, spec)
        if not alphabet - {"\n"}:
            raise SpecError("the training chapters hold no text to learn tokens from; add books to the shelf")
        try:
            return cls(_learn(texts, alphabet, spec.vocabulary_size))
        except RuntimeError as error:
            asked, largest = spec.vocabulary_size, _largest_size(str(error))
            if largest is None:
                raise SpecError(f"vocabulary_size: found {asked}; no tokens can be learned: {error}") from error
        proposed = cls._fitting_size(texts, spec, largest)
        remedy = f"Set tokenizers.NAME.vocabulary_size to {proposed}, or add" if proposed else "Add"
        raise SpecError(
            f"vocabulary_size: found {asked}; the training text has pieces for at most {largest}. "
            f"{remedy} books to the shelf"
        )

    @classmethod
    def _fitting_size(cls, texts: Collection[str], spec: UnigramSpec, size: int) -> int | None:
        """Return a size that the texts are enough for; a smaller one has a smaller alphabet, and may need less."""
        while size >= SMALLEST_VOCABULARY:
            smaller = spec.model_copy(update={"vocabulary_size": size})
            try:
                _learn(texts, _alphabet(texts, smaller), size)
            except RuntimeError as error:
                size = min(_largest_size(str(error)) or 0, size - 1)
            else:
                return size
        return None

    @classmethod
    def load(cls, path: Path | str) -> "UnigramTokenizer":
        """Load a tokenizer from its file."""
        return cls(Path(path).read_bytes())

    def save(self, path: Path | str) -> None:
        """Write the tokenizer to a file, atomically."""
        with atomic_path(path) as temporary:
            temporary.write_bytes(self.model)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text.

        Raises:
            ValueError: the text holds a lone surrogate, which no Unicode text does.
        """
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"lone surrogate {text[error.start]!a} at character {error.start}") from error
        parts = [self._processor.encode(part) for part in text.split(SPACE_MARK)]
        joined: list[int] = list(parts[0])
        for part in parts[1:]:
            joined += self._space_mark_ids + part
        return joined

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of token ids; an end of chapter has none, bytes that are no UTF-8 become U+FFFD."""
        kept = [int(token) for token in tokens if token != self.end_of_chapter]
        return str(self._processor.decode(kept)) if kept else ""

    def token_text(self, token: int) -> str:
        """Return how one token looks: its characters, `<0xC3>` for a byte of others, `<end-of-chapter>` for the end."""
        piece = str(self._processor.id_to_piece(token))
        if self._processor.is_byte(token):
            byte = int(piece[1:-1], 16)
            return chr(byte) if 0x20 <= byte < 0x7F else piece
        return piece.replace(SPACE_MARK, " ")

    def token_characters(self) -> np.ndarray:
        """Return for each token the number of code points it stands for, int64 [token].

        A byte counts as one where it begins a code point and as none where it continues one, so that the counts of a
        text's tokens add up to its length.
        """
        counts = np.zeros(self.vocabulary_size, dtype=np.int64)
        for token in range(self.vocabulary_size):
            if self._processor.is_byte(token):
                byte = int(self._processor.id_to_piece(token)[1:-1], 16)
                counts[token] = (byte & 0xC0) != 0x80
            elif not (self._processor.is_control(token) or self._processor.is_unknown(token)):
                counts[token] = len(self._processor.id_to_piece(token))
        return counts


def _alphabet(texts: Iterable[str], spec: UnigramSpec) -> frozenset[str]:
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


def _learn(texts: Iterable[str], alphabet: frozenset[str], vocabulary_size: int) -> bytes:
    """Return a trained model.

    Raises:
        RuntimeError: in sentencepiece's words; `_largest_size` reads them.
    """
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_chunks(texts, alphabet),
        model_writer=written,
        model_type="unigram",
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
        eos_piece="<end-of-chapter>",
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
