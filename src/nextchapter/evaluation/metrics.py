"""The figures of a split: nats, perplexity, bits a character."""

import math
from typing import Any

import numpy as np

from nextchapter.evaluation.intervals import bootstrap_interval, cut_blocks
from nextchapter.spec.evaluation import EvaluationSpec


def split_metrics(
    nats: list[np.ndarray], characters: list[np.ndarray], words: int, spec: EvaluationSpec
) -> dict[str, Any]:
    """Return the metrics of one split.

    Bits a character are all nats, those of the end-of-chapter tokens included, over the code points of the text, over
    ln 2: models with different tokenizers compare by it alone.

    Args:
        nats: -ln p of each token of each chapter.
        characters: code points of each token of each chapter; 0 for the end of a chapter.
        words: number of words in the text.
        spec: of the bootstrap.
    """
    total_nats = math.fsum(float(value) for chapter in nats for value in chapter)
    total_tokens, total_characters = sum(map(len, nats)), int(sum(chapter.sum() for chapter in characters))
    blocks = cut_blocks(nats, characters, spec.block_tokens)
    interval = bootstrap_interval(blocks, spec.bootstrap_draws, spec.seed)
    return {
        "chapters": len(nats),
        "tokens": total_tokens,
        "characters": total_characters,
        "words": words,
        "nats": total_nats,
        "nats_per_token": total_nats / total_tokens,
        "perplexity": _exp(total_nats / total_tokens),
        "perplexity_per_word": _exp(total_nats / words) if words else None,
        "bits_per_character": total_nats / total_characters / math.log(2),
        "ci_low": interval[0] if interval else None,
        "ci_high": interval[1] if interval else None,
        "blocks": len(blocks.nats),
    }


def _exp(nats: float) -> float | None:
    """Return e^nats, or None where that is no finite number."""
    return math.exp(nats) if nats < 700 else None
