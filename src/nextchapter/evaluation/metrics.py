"""The figures of a split: nats, perplexity, bits a character."""

import math
from typing import Any

import numpy as np

from nextchapter.evaluation.intervals import bootstrap_interval, cut_blocks
from nextchapter.evaluation.spelling import Spelling
from nextchapter.spec.evaluation import EvaluationSpec


def split_metrics(
    nats: list[np.ndarray],
    characters: list[np.ndarray],
    words: int,
    spec: EvaluationSpec,
    spelling: Spelling | None = None,
) -> dict[str, Any]:
    """Return the metrics of one split.

    Bits a character are all nats, those of the end-of-chapter tokens and of the spelling of unknown words included,
    over the code points of the text, over ln 2: models with different tokenizers compare by it alone. Perplexity a
    word pays for spelling too; nats and perplexity a token do not, as the field counts them.

    Args:
        nats: -ln p of each token of each chapter.
        characters: code points of each token of each chapter; 0 for the end of a chapter.
        words: number of words in the text.
        spec: of the bootstrap.
        spelling: cost and code points of the unknown words of a closed vocabulary; None for an open one.
    """
    paid, held = (
        (nats, characters) if spelling is None else (_add(nats, spelling.nats), _add(characters, spelling.characters))
    )
    total_nats, paid_nats = _sum(nats), _sum(paid)
    total_tokens, total_characters = sum(map(len, nats)), int(sum(chapter.sum() for chapter in held))
    blocks = cut_blocks(paid, held, spec.block_tokens)
    interval = bootstrap_interval(blocks, spec.bootstrap_draws, spec.seed)
    return {
        "chapters": len(nats),
        "tokens": total_tokens,
        "characters": total_characters,
        "words": words,
        "nats": total_nats,
        "spelling_nats": 0.0 if spelling is None else _sum(spelling.nats),
        "nats_per_token": total_nats / total_tokens,
        "perplexity": _exp(total_nats / total_tokens),
        "perplexity_per_word": _exp(paid_nats / words) if words else None,
        "bits_per_character": paid_nats / total_characters / math.log(2),
        "bits_per_character_without_spelling": total_nats / total_characters / math.log(2),
        "ci_low": interval[0] if interval else None,
        "ci_high": interval[1] if interval else None,
        "blocks": len(blocks.nats),
    }


def _sum(chapters: list[np.ndarray]) -> float:
    return math.fsum(float(value) for chapter in chapters for value in chapter)


def _add(chapters: list[np.ndarray], more: list[np.ndarray]) -> list[np.ndarray]:
    return [own + other for own, other in zip(chapters, more, strict=True)]


def _exp(nats: float) -> float | None:
    """Return e^nats, or None where that is no finite number."""
    return math.exp(nats) if nats < 700 else None
