"""The language that a book is written in."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from nextchapter.corpus.words import count_words

UNDETERMINED = "und"
"""ISO 639's code for a language that can't be told."""
WORDS_MIN = 10
"""Fewer words than this tell no language."""

_SAMPLES = 8
_SAMPLE_CHARACTERS = 500


class Language(NamedTuple):
    """A language, and how sure it is."""

    code: str
    """ISO 639-1, or `und`."""
    confidence: float
    """Mean probability of the language over the samples; a book in two languages has about the share of the first."""


def detect_language(texts: Sequence[str]) -> Language:
    """Return the language of a book from eight samples, spread evenly over it; `und` where there is too little text.

    Args:
        texts: its chapters.
    """
    samples = _samples(texts)
    if sum(map(count_words, samples)) < WORDS_MIN:
        return Language(UNDETERMINED, 0.0)
    totals: dict[str, float] = {}
    for sample in samples:
        for code, probability in _identifier().rank(sample):
            totals[code] = totals.get(code, 0.0) + probability
    code = max(sorted(totals), key=lambda name: totals[name])
    return Language(code, round(totals[code] / len(samples), 4))


def _samples(texts: Sequence[str]) -> list[str]:
    """Return pieces of equal length from the middles of as many equal parts of a book; all of a short one."""
    total = sum(map(len, texts))
    if total <= _SAMPLES * _SAMPLE_CHARACTERS:
        return ["\n".join(texts)]
    starts = [(2 * part + 1) * total // (2 * _SAMPLES) - _SAMPLE_CHARACTERS // 2 for part in range(_SAMPLES)]
    return [_piece(texts, start) for start in starts]


def _piece(texts: Sequence[str], start: int) -> str:
    """Return so many characters from a place in the book, over the ends of chapters."""
    stop = start + _SAMPLE_CHARACTERS
    parts = []
    for text in texts:
        if stop <= 0:
            break
        parts.append(text[max(start, 0) : stop])
        start, stop = start - len(text), stop - len(text)
    return "\n".join(part for part in parts if part)


@cache
def _identifier() -> LanguageIdentifier:
    """Load the model, once a process; of its labels, those of ISO 639-1, so neither dialects nor "no language"."""
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if len(code) == 2])
    identifier.nb_ptc = np.ascontiguousarray(
        identifier.nb_ptc, dtype=np.float32
    )  # by rows, as they are read: twice as fast
    return identifier
