"""What the chapters of a split cost a model, and where in the texts it was charged."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from nextchapter.evaluation.spelling import Spelling
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.stream import TokenStream


class ScoredChapters(NamedTuple):
    """Of each chapter, by token."""

    nats: list[np.ndarray]
    """-ln p of the token, float64 [token]."""
    paid_nats: list[np.ndarray]
    """The same, with the spelling of unknown words, float64 [token]."""
    characters: list[np.ndarray]
    """Code points that it stands for; 0 for the end of a chapter, int64 [token]."""
    ends: list[np.ndarray]
    """Where in its chapter it ends, in code points, int64 [token]."""


def account_chapters(
    nats: list[np.ndarray], stream: TokenStream, tokenizer: Tokenizer, texts: Sequence[str], spelling: Spelling | None
) -> ScoredChapters:
    """Return the account of a split.

    Args:
        nats: -ln p of each token of each chapter.
        stream: the chapters as tokens.
        tokenizer: that of the tokens.
        texts: the chapters as text.
        spelling: cost and code points of the unknown words of a closed vocabulary; None for an open one.
    """
    chapters = [stream.chapter(index) for index in range(stream.chapters)]
    characters = [tokenizer.count_characters(tokens) for tokens in chapters]
    ends = [tokenizer.token_ends(text, tokens) for text, tokens in zip(texts, chapters, strict=True)]
    if spelling is None:
        return ScoredChapters(nats, nats, characters, ends)
    return ScoredChapters(nats, _add(nats, spelling.nats), _add(characters, spelling.characters), ends)


def _add(chapters: list[np.ndarray], more: list[np.ndarray]) -> list[np.ndarray]:
    return [own + other for own, other in zip(chapters, more, strict=True)]
