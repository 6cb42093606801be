"""Canaries: random sentences that are planted in the training chapters, to see later what a model keeps by heart.

N. Carlini, C. Liu, U. Erlingsson, J. Kos and D. Song (2019), The Secret Sharer: evaluating and testing unintended
memorization in neural networks. USENIX Security.

A canary is a sentence of words drawn evenly from the most frequent words of the shelf, so that every tokenizer knows
them. Sentences of the same kind that are planted nowhere are the references that its exposure is measured by.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from nextchapter.corpus.passages import words_of
from nextchapter.spec.corpus import CanarySpec


class Canary(NamedTuple):
    """A sentence, and how often it is planted."""

    text: str
    copies: int


def frequent_words(texts: Iterable[str], count: int) -> list[str]:
    """Return the most frequent words of some texts, the most frequent first; ties in the order of the alphabet."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(words_of(text))
    return sorted(counts, key=lambda word: (-counts[word], word))[:count]


def draw_canaries(words: Sequence[str], spec: CanarySpec) -> list[Canary]:
    """Return the canaries: `each` for every number of copies."""
    sentences = _draw_sentences(words, spec.words, spec.each * len(spec.copies), (spec.seed, 0))
    return [
        Canary(text, copies) for text, copies in zip(sentences, np.repeat(spec.copies, spec.each).tolist(), strict=True)
    ]


def draw_references(words: Sequence[str], spec: CanarySpec) -> list[str]:
    """Return sentences of the same kind as the canaries, none of which is one."""
    planted = {canary.text for canary in draw_canaries(words, spec)}
    sentences = _draw_sentences(words, spec.words, spec.references, (spec.seed, 1))
    return [text for text in sentences if text not in planted]


def choose_places(canaries: Sequence[Canary], characters: Sequence[int], seed: int) -> dict[int, list[str]]:
    """Return the chapters in which canaries are planted, by their places, and which; a longer one is likelier.

    Args:
        canaries: to be planted, each as often as it says.
        characters: the length of each chapter.
        seed: another seed chooses other chapters.
    """
    texts = [canary.text for canary in canaries for _ in range(canary.copies)]
    shares = np.array(characters) / sum(characters)
    chosen = np.random.default_rng((seed, 2)).choice(len(characters), size=len(texts), p=shares)
    places: dict[int, list[str]] = {}
    for place, text in zip(chosen.tolist(), texts, strict=True):
        places.setdefault(place, []).append(text)
    return places


def plant(text: str, sentences: Sequence[str], seed: Sequence[int]) -> str:
    """Return a chapter with sentences planted in it, each a paragraph of its own behind a random one of the others."""
    paragraphs = text.split("\n\n")
    behind = np.random.default_rng(seed).integers(1, len(paragraphs) + 1, len(sentences))
    for place, sentence in sorted(zip(behind.tolist(), sentences, strict=True), reverse=True):
        paragraphs.insert(place, sentence)
    return "\n\n".join(paragraphs)


def _draw_sentences(words: Sequence[str], length: int, count: int, seed: Sequence[int]) -> list[str]:
    drawn = np.random.default_rng(seed).integers(len(words), size=(count, length))
    return [" ".join(words[word] for word in sentence).capitalize() + "." for sentence in drawn.tolist()]
