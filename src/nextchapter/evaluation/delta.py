"""Burrows's Delta: how far the small words of a text are from those of an author.

J. Burrows (2002), 'Delta': a measure of stylistic difference and a guide to likely authorship. Literary and Linguistic
Computing 17(3), 267-287. The frequencies of the most frequent words are made comparable by z-scores; Delta is the
mean of the absolute differences between the z-scores of a text and those of an author.

Burrows takes mean and standard deviation over authors. Here they are taken over passages as long as the text that is
judged, each author weighing the same, so that a shelf of a single author has them too.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nextchapter.corpus.passages import words_of

Floats = NDArray[np.float64]


class Reference(NamedTuple):
    """What texts are measured against."""

    words: list[str]
    """The most frequent words, the most frequent first."""
    mean: Floats
    """[word] of a word's relative frequency, over the passages."""
    deviation: Floats
    """[word] standard deviation of that."""
    profiles: dict[str, Floats]
    """[word] z-scores of each author."""


def build_reference(passages: Mapping[str, Sequence[str]], frequent_words: int) -> Reference:
    """Return the z-scores of some authors.

    Args:
        passages: texts of one length by author, at least one each.
        frequent_words: how many of the most frequent words are compared.

    Raises:
        ValueError: there is no author, or an author without a passage.
    """
    if not passages or not all(passages.values()):
        raise ValueError(f"each author needs a passage, found { ({name: len(own) for name, own in passages.items()}) }")
    counted = {author: [Counter(words_of(text)) for text in own] for author, own in passages.items()}
    words = _most_frequent(counted, frequent_words)
    rates = {author: np.array([_rates(counts, words) for counts in own]) for author, own in counted.items()}
    mean = np.mean([own.mean(axis=0) for own in rates.values()], axis=0)
    variance = np.mean([((own - mean) ** 2).mean(axis=0) for own in rates.values()], axis=0)
    varies = np.ptp(np.concatenate(list(rates.values())), axis=0) > 0  # a variance may be nothing but rounding
    words = [word for word, kept in zip(words, varies, strict=True) if kept]
    mean, deviation = mean[varies], np.sqrt(variance[varies])
    profiles = {author: (own[:, varies].mean(axis=0) - mean) / deviation for author, own in rates.items()}
    return Reference(words, mean, deviation, profiles)


def measure_delta(reference: Reference, text: str) -> dict[str, float]:
    """Return Burrows's Delta between a text and each author: 0 for the same use of the words; less is nearer."""
    if not reference.words:
        return dict.fromkeys(reference.profiles, 0.0)
    scores = (_rates(Counter(words_of(text)), reference.words) - reference.mean) / reference.deviation
    return {author: float(np.abs(scores - profile).mean()) for author, profile in reference.profiles.items()}


def _most_frequent(counted: Mapping[str, Sequence[Counter[str]]], most: int) -> list[str]:
    """Return the words with the greatest share, each author weighing the same; ties in the order of the alphabet."""
    shares: dict[str, float] = defaultdict(float)
    for own in counted.values():
        together = sum(own, Counter())
        total = max(together.total(), 1)
        for word, count in together.items():
            shares[word] += count / total
    return sorted(shares, key=lambda word: (-shares[word], word))[:most]


def _rates(counts: Counter[str], words: Sequence[str]) -> Floats:
    return np.array([counts[word] for word in words]) / max(counts.total(), 1)
