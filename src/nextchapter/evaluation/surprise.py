"""How surprised a model is by a text: in all, and word by word."""

import math
import re
from typing import Any, NamedTuple

import numpy as np
import torch

from nextchapter.corpus.words import WORD
from nextchapter.models.protocol import LanguageModel
from nextchapter.tokens.protocol import Tokenizer

_ITEM = re.compile(rf"{WORD.pattern}|\S")
_CHUNK_TOKENS = 256


class Surprise(NamedTuple):
    """A word, or a mark between words, and what it cost."""

    text: str
    bits: float


class TextScore(NamedTuple):
    """What reading a text has cost a model."""

    tokens: int
    characters: int
    words: int
    nats: float
    """Of all tokens, the spelling of unknown words included."""
    token_nats: float
    """Without that spelling."""
    surprises: list[Surprise]

    @property
    def bits_per_character(self) -> float:
        """The figure by which models with different tokenizers compare."""
        return self.nats / math.log(2) / self.characters

    @property
    def perplexity(self) -> float:
        """Of a token."""
        return math.exp(self.token_nats / self.tokens)

    def record(self) -> dict[str, Any]:
        """Return the figures, and each word with its bits, as plain values."""
        return {
            "characters": self.characters,
            "words": self.words,
            "tokens": self.tokens,
            "bits_per_character": self.bits_per_character,
            "perplexity": self.perplexity,
            "surprises": [item._asdict() for item in self.surprises],
        }


def score_text(model: LanguageModel, tokenizer: Tokenizer, text: str) -> TextScore:
    """Return what each part of a text costs a model that begins to read there, as at the head of a chapter.

    Args:
        model: the model.
        tokenizer: the one that it was trained with.
        text: any text.

    Raises:
        ValueError: the text holds nothing.
    """
    encoded = tokenizer.encode_text(text)
    if not len(encoded.tokens):
        raise ValueError("the text is empty")
    nats = token_nats(model, encoded.tokens, tokenizer.end_of_chapter)
    surprises = _by_word(text, encoded.tokens, nats, tokenizer)
    token_total = math.fsum(nats)
    words = sum(1 for _ in WORD.finditer(text))
    total = token_total + encoded.spelling_nats
    return TextScore(len(nats), encoded.characters, words, total, token_total, surprises)


@torch.no_grad()
def token_nats(model: LanguageModel, tokens: np.ndarray, end_of_chapter: int) -> np.ndarray:
    """Return -ln p of each token, in nats, float64 [token]; the sign that a chapter begins stands before the first."""
    targets = torch.from_numpy(tokens.astype(np.int64))[None].to(model.device)
    read = torch.cat([torch.full_like(targets[:, :1], end_of_chapter), targets[:, :-1]], dim=1)
    state, parts = model.initial_state(1), []
    for start in range(0, targets.shape[1], _CHUNK_TOKENS):
        chunk = slice(start, start + _CHUNK_TOKENS)
        scores, state = model.score(read[:, chunk], targets[:, chunk], state)
        parts.append(scores[0].double().cpu().numpy())
    return np.concatenate(parts)


def _by_word(text: str, tokens: np.ndarray, nats: np.ndarray, tokenizer: Tokenizer) -> list[Surprise]:
    """Return words and marks in order; a token belongs to the one in which, or before which, it ends.

    Where `<unk>` hides what stands at a place, each token is told by itself.
    """
    lengths = tokenizer.count_characters(tokens)
    bits = nats / math.log(2)
    if int(lengths.sum()) != len(text):
        return [
            Surprise(tokenizer.token_text(int(token)), float(cost)) for token, cost in zip(tokens, bits, strict=True)
        ]
    items = list(_ITEM.finditer(text))
    if not items:
        return []
    ends = np.array([item.end() for item in items])
    places = np.searchsorted(ends, np.cumsum(lengths), side="left").clip(max=len(items) - 1)
    sums = np.bincount(places, weights=bits, minlength=len(items))
    return [Surprise(item[0], float(cost)) for item, cost in zip(items, sums, strict=True)]
