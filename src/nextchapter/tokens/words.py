"""Words as tokens: a closed vocabulary, `<unk>` for all others, and what those cost to spell."""

import itertools
import json
import math
import zlib
from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Self

import numpy as np

from nextchapter.spec.base import SpecError, canonical_json
from nextchapter.spec.tokens import WordsSpec
from nextchapter.tokens.protocol import EncodedText, Tokenizer, utf8
from nextchapter.tokens.spelling import SpellingModel
from nextchapter.tokens.splitting import UNKNOWN, Lines, Prose, Splitting

SPELLED_WORDS_MAX = 200_000
"""Spelling is learned from so many different words at most, which bounds the memory of each process that encodes."""


class WordsTokenizer(Tokenizer):
    """Id 0 is `<unk>`, 1 the end of a chapter; then the other special tokens, then the words, frequent ones first."""

    kind = "words"
    unknown = 0
    end_of_chapter = 1

    def __init__(self, words: list[str], rare: dict[str, int], pretokenized: bool) -> None:
        """Take what was learned.

        Args:
            words: the vocabulary in the order of its ids, without the special tokens.
            rare: the words by which spelling is learned, with their counts.
            pretokenized: whether texts are lines of words as they are, instead of prose.
        """
        self._splitting: Splitting = Lines() if pretokenized else Prose()
        self._words, self._rare, self._pretokenized = words, rare, pretokenized
        self.end_is_line = pretokenized
        self._surfaces = [*self._splitting.special, *words]
        self._ids = {surface: place for place, surface in enumerate(self._surfaces)}
        self.vocabulary_size = len(self._surfaces)

    @classmethod
    def train(cls, texts: Iterable[str], spec: WordsSpec) -> Self:
        """Take the most frequent words; words outside of the vocabulary teach how unknown ones are spelled.

        Where no word is left outside, those that occur least often do.
        """
        splitting: Splitting = Lines() if spec.pretokenized else Prose()
        counts = count_distinct(map(splitting.words, texts), spec.counted_words)
        for special in splitting.special:
            del counts[special]
        if not counts:
            raise SpecError("the training chapters hold no word to learn; add books to the shelf")
        ordered = sorted(counts, key=lambda word: (-counts[word], word))
        room = None if spec.vocabulary_size is None else spec.vocabulary_size - len(splitting.special)
        kept = [word for word in ordered[:room] if counts[word] >= spec.minimum_count]
        most, least = counts[ordered[0]], counts[ordered[-1]]
        if not kept:
            raise SpecError(
                f"minimum_count: found {spec.minimum_count}; no word occurs more than {most} times in the training "
                f"chapters. Set tokenizers.NAME.minimum_count to {most} or less, or add books to the shelf"
            )
        rare = ordered[len(kept) :] or [word for word in ordered if counts[word] == least]
        return cls(kept, {word: counts[word] for word in sample_words(rare)}, spec.pretokenized)

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Return the tokenizer of a vocabulary."""
        return cls(**json.loads(payload))

    def payload(self) -> bytes:
        """Return vocabulary and rare words as JSON."""
        learned = {"words": self._words, "rare": self._rare, "pretokenized": self._pretokenized}
        return canonical_json(learned).encode()

    def encode_array(self, text: str) -> np.ndarray:
        """Return the token ids of a text, int32 [token]."""
        return self.encode_text(text).tokens

    def encode_text(self, text: str) -> EncodedText:
        """Return a text as tokens; each unknown word is charged with its spelling.

        A benchmark's own `<unk>` is a token of its text like any other, and costs nothing to spell.
        """
        utf8(text)
        surfaces = self._splitting.split(text, self._ids)
        tokens = np.fromiter((self._ids.get(surface, self.unknown) for surface in surfaces), np.int32, len(surfaces))
        unknown = Counter(surfaces[place] for place in np.flatnonzero(tokens == self.unknown))
        held = sum(count * len(word) for word, count in unknown.items())
        nats = math.fsum(count * self.spelling_nats(word) for word, count in unknown.items() if word != UNKNOWN)
        return EncodedText(tokens, self._length(text, tokens, held), held, nats)

    def _length(self, text: str, tokens: np.ndarray, held: int) -> int:
        """Return the code points of a text; of a pre-tokenised one, with one space a gap and a break for each line."""
        if not self._pretokenized:
            return len(text)
        return int(self.count_characters(np.append(tokens, self.end_of_chapter)).sum()) + held

    def spelling_nats(self, word: str) -> float:
        """Return what an unknown word costs to spell, in nats."""
        return self._spelling.nats(word)

    @cached_property
    def _spelling(self) -> SpellingModel:
        return SpellingModel(self._rare)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of token ids, spaces restored; an unknown word becomes `<unk>`."""
        return "".join(self._splitting.pieces(self._surfaces[token] for token in tokens))

    def token_text(self, token: int) -> str:
        """Return the word."""
        return self._surfaces[token]

    def token_characters(self) -> np.ndarray:
        """Return the length of each token by itself, without the space before it, int64 [token]."""
        counts = np.array([len(next(self._splitting.pieces([surface]))) for surface in self._surfaces], dtype=np.int64)
        counts[self.unknown] = 0
        return counts

    def count_characters(self, tokens: np.ndarray) -> np.ndarray:
        """Return the code points that each token of a chapter stands for, with the space before it, int64 [token]."""
        pieces = self._splitting.pieces(self._surfaces[token] for token in tokens.tolist())
        counts = np.fromiter(map(len, pieces), np.int64, len(tokens))
        counts[tokens == self.unknown] -= len(UNKNOWN)
        return counts

    def token_ends(self, text: str, tokens: np.ndarray) -> np.ndarray:
        """Return where in a text each of its tokens ends, int64 [token]; unknown words are found by their spelling."""
        ends = self._splitting.ends(text, self._ids)
        return np.fromiter(itertools.chain(ends, [len(text)]), np.int64, len(tokens))

    def is_boundary(self, token: int) -> bool:
        """Return whether spaces behind the token do not depend on what stands before it."""
        return self._splitting.is_boundary(self._surfaces[token])


def count_distinct(parts: Iterable[Iterable[str]], most: int) -> Counter[str]:
    """Count the words of some parts, in bounded memory.

    Whenever more than `most` different words are held behind a part, the rarest are forgotten until at most half as
    many are left (lossy counting, Manku and Motwani, 2002): up to `most` the counts are exact, and beyond it those of
    frequent words are too small by little.
    """
    counts: Counter[str] = Counter()
    for words in parts:
        counts.update(words)
        if len(counts) > most:
            counts = _without_rarest(counts, most // 2)
    return counts


def _without_rarest(counts: Counter[str], most: int) -> Counter[str]:
    """Return the words that occur more often than those that must go for at most `most` to be left."""
    held = np.sort(np.fromiter(counts.values(), np.int64, len(counts)))
    limit = held[-most - 1]
    return Counter({word: count for word, count in counts.items() if count > limit})


def sample_words(words: list[str], most: int = SPELLED_WORDS_MAX) -> list[str]:
    """Return the words, or so many of them, drawn by a checksum so that their order does not matter."""
    if len(words) <= most:
        return words
    return sorted(words, key=lambda word: (zlib.crc32(word.encode("utf-8", "surrogatepass")), word))[:most]


TOKENIZER = WordsTokenizer
