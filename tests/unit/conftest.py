"""Fixtures that the unit tests share."""

import numpy as np
import pytest

from nextchapter.spec.tokens import UnigramSpec
from nextchapter.tokens.unigram import UnigramTokenizer

WORDS = "the of and to her in was it she that had not be for as you he with his have but all at is so".split()


def word_salad(words: int, seed: int = 0) -> str:
    """Return paragraphs of frequent words and invented ones; the same seed gives the same text."""
    generator = np.random.default_rng(seed)
    stems = ["".join(generator.choice(list("abcdefghijklmnoprstuvwy"), size=5)) for _ in range(300)]
    chosen = generator.choice(WORDS + stems, size=words)
    return "\n\n".join(" ".join(chosen[start : start + 60]) + "." for start in range(0, words, 60))


@pytest.fixture(scope="session")
def salad() -> str:
    """Return 6,000 words of it."""
    return word_salad(6000)


@pytest.fixture(scope="session")
def tokenizer(salad: str) -> UnigramTokenizer:
    """Return a tokenizer of 500 tokens trained on it."""
    return UnigramTokenizer.train([salad], UnigramSpec(vocabulary_size=500))
