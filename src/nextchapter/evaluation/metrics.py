"""The figures of a split: nats, perplexity, bits a character; accuracy and calibration where tokens were judged."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nextchapter.evaluation.accuracy import WordGuesses
from nextchapter.evaluation.calibration import Reliability, expected_calibration_error
from nextchapter.evaluation.foresight import Foresight
from nextchapter.evaluation.intervals import bootstrap_interval, cut_blocks
from nextchapter.evaluation.scored import ScoredChapters
from nextchapter.spec.evaluation import EvaluationSpec


def split_metrics(scored: ScoredChapters, words: int, utf8_bytes: int, spec: EvaluationSpec) -> dict[str, Any]:
    """Return the metrics of one split.

    Bits a character are all nats, those of the end-of-chapter tokens and of the spelling of unknown words included,
    over the code points of the text, over ln 2: models with different tokenizers compare by it alone. Perplexity a
    word pays for spelling too; nats and perplexity a token do not, as the field counts them.

    Args:
        scored: what the chapters cost.
        words: number of words in the text.
        utf8_bytes: length of the text in UTF-8.
        spec: of blocks and bootstrap.
    """
    total_nats, paid_nats = _sum(scored.nats), _sum(scored.paid_nats)
    total_tokens, total_characters = sum(map(len, scored.nats)), int(sum(map(np.sum, scored.characters)))
    text_characters = sum(int(ends[-1]) for ends in scored.ends)
    blocks = cut_blocks(scored.paid_nats, scored.characters, scored.ends, spec.block_characters)
    interval = bootstrap_interval(blocks, spec.bootstrap_draws, spec.seed)
    bits_per_character = paid_nats / total_characters / math.log(2)
    return {
        "chapters": len(scored.nats),
        "tokens": total_tokens,
        "characters": total_characters,
        "bytes": utf8_bytes,
        "words": words,
        "nats": total_nats,
        "spelling_nats": paid_nats - total_nats,
        "nats_per_token": total_nats / total_tokens,
        "perplexity": _exp(total_nats / total_tokens),
        "perplexity_per_word": _exp(paid_nats / words) if words else None,
        "bits_per_character": bits_per_character,
        "bits_per_byte": bits_per_character * text_characters / utf8_bytes,
        "bits_per_character_without_spelling": total_nats / total_characters / math.log(2),
        "ci_low": interval[0] if interval else None,
        "ci_high": interval[1] if interval else None,
        "blocks": len(blocks.nats),
    }


def judged_metrics(chapters: Sequence[Foresight], guesses: Sequence[WordGuesses], curve: Reliability) -> dict[str, Any]:
    """Return how often the first guess and the first five hold the next token, the next word, and the calibration.

    Args:
        chapters: what the model said of the tokens of each chapter.
        guesses: and of its words.
        curve: of the judged tokens.
    """
    words = sum(int(chapter.is_judged.sum()) for chapter in guesses)
    foreseen = sum(int(chapter.is_foreseen.sum()) for chapter in guesses)
    tokens = int(curve.tokens.sum())
    return {
        "judged_tokens": tokens,
        "judged_words": words,
        "token_accuracy_at_1": float(np.average(curve.accuracy, weights=curve.tokens)),
        "token_accuracy_at_5": sum(int(chapter.is_among_best.sum()) for chapter in chapters) / tokens,
        "word_accuracy": foreseen / words if words else None,
        "confidence": float(np.average(curve.confidence, weights=curve.tokens)),
        "expected_calibration_error": expected_calibration_error(curve),
    }


def _sum(chapters: Sequence[np.ndarray]) -> float:
    return math.fsum(float(value) for chapter in chapters for value in chapter)


def _exp(nats: float) -> float | None:
    """Return e^nats, or None where that is no finite number."""
    return math.exp(nats) if nats < 700 else None
