"""Exposure: how much likelier a model finds a sentence that it has read than sentences of the same kind.

Carlini et al. (2019), The Secret Sharer, definition 5 and section 4.3: the exposure of a canary is
log2 |R| - log2 rank, where the rank is its place among all sequences R of its kind, the likeliest first. Here R is
estimated by a sample of references, the canary itself among them, so that no exposure is above log2(references + 1).
"""

import numpy as np
from numpy.typing import NDArray

from nextchapter.models.protocol import LanguageModel
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.stream import TokenStream

_BATCH_SIZE, _CHUNK_TOKENS = 64, 128


def score_sentences(model: LanguageModel, tokenizer: Tokenizer, sentences: list[str]) -> NDArray[np.float64]:
    """Return -ln p of each sentence as the beginning of a chapter, in nats."""
    encoded = [np.array(tokenizer.encode(sentence), dtype=np.int64) for sentence in sentences]
    offsets = np.concatenate([[0], np.cumsum([len(tokens) for tokens in encoded])]).astype(np.int64)
    stream = TokenStream(np.concatenate(encoded), offsets)
    scores = score_chapters(model, stream, tokenizer.end_of_chapter, _BATCH_SIZE, _CHUNK_TOKENS)
    return np.array([nats.sum() for nats in scores])


def rank_among(nats: float, references: NDArray[np.float64]) -> int:
    """Return the place of a sentence among references, from 1, the likeliest first; equal ones come before it."""
    return int((references <= nats).sum()) + 1


def exposure_bits(rank: int, references: int) -> float:
    """Return the exposure of a canary of that rank among so many references and itself, in bits."""
    return float(np.log2(references + 1) - np.log2(rank))
