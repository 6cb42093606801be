"""Which of several chapters is kept: the one that does best by five measures together, each counted as a place.

The measures have no unit in common, so that what counts is the place of a chapter among the others: by its own model's
bits a character, by the share of its 4-grams that have stood in it before, by the longest span that it copies from
training, by Burrows's Delta between it and the training chapters, and by the share of its words that stand nowhere in
training, most of which word pieces made up. Less is better in all five; the least sum of places wins, and of equal ones
the likelier chapter.
"""

import math
from collections.abc import Sequence

import numpy as np

from nextchapter.corpus.passages import cut_passages, cut_words, spread_out
from nextchapter.corpus.shingles import hash_words
from nextchapter.corpus.words import count_words
from nextchapter.evaluation.copying import find_copies
from nextchapter.evaluation.delta import build_reference, measure_delta
from nextchapter.evaluation.style import measure_style
from nextchapter.evaluation.surprise import token_nats
from nextchapter.generation.chapter import Chapter
from nextchapter.models.protocol import LanguageModel
from nextchapter.tokens.protocol import Tokenizer

MEASURES = ("bits_per_character", "repeated_4gram_share", "longest_copied_words", "delta", "unseen_word_share")
_SHELF = "the shelf"
_FREQUENT_WORDS, _PASSAGES = 150, 40


def judge_candidates(
    model: LanguageModel, tokenizer: Tokenizer, chapters: Sequence[Chapter], training: Sequence[str]
) -> list[dict[str, float]]:
    """Return the measures of each chapter, by name.

    Args:
        model: the one that wrote them.
        tokenizer: its own.
        chapters: at least one.
        training: the training chapters.
    """
    texts = [chapter.text for chapter in chapters]
    deltas = _deltas(texts, training)
    copies = find_copies(texts, training)
    unseen = _unseen_shares(texts, training)
    return [
        {
            "bits_per_character": _bits_per_character(model, tokenizer, text),
            "repeated_4gram_share": measure_style(text)["repeated_4gram_share"],
            "longest_copied_words": float(copied.longest),
            "delta": delta,
            "unseen_word_share": unseen_share,
        }
        for text, copied, delta, unseen_share in zip(texts, copies, deltas, unseen, strict=True)
    ]


def choose_candidate(judged: Sequence[dict[str, float]]) -> int:
    """Return the place of the chapter with the least sum of places; equal measures share one."""
    sums = [
        sum(sum(other[name] < own[name] for other in judged) for name in MEASURES) for own in judged
    ]  # so many are better
    return min(range(len(judged)), key=lambda place: (sums[place], judged[place]["bits_per_character"], place))


def _bits_per_character(model: LanguageModel, tokenizer: Tokenizer, text: str) -> float:
    tokens = tokenizer.encode_array(text)
    return math.fsum(token_nats(model, tokens, tokenizer.end_of_chapter)) / math.log(2) / max(1, len(text))


def _deltas(texts: Sequence[str], training: Sequence[str]) -> list[float]:
    """Return Burrows's Delta between the shelf and each text, all cut to the length of the shortest."""
    words = min(map(count_words, texts))
    passages: list[str] = []
    for chapter in spread_out(training, _PASSAGES):
        passages += cut_passages(chapter, words)[:1] if words else []
    reference = build_reference({_SHELF: passages or ["\n\n".join(training)]}, _FREQUENT_WORDS)
    return [measure_delta(reference, cut_words(text, 0, words))[_SHELF] for text in texts]


def _unseen_shares(texts: Sequence[str], training: Sequence[str]) -> list[float]:
    """Return the share of each text's words that stand nowhere in training."""
    words = [hash_words(text) for text in texts]
    unseen = np.unique(np.concatenate(words))
    for chapter in training:
        unseen = np.setdiff1d(unseen, hash_words(chapter))
    return [float(np.isin(own, unseen).mean()) if len(own) else 0.0 for own in words]
