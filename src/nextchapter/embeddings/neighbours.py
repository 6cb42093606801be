"""The nearest neighbours of frequent words."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Neighbour(NamedTuple):
    """A word, and one that is near to it."""

    word: str
    occurrences: int
    """How often the word occurs in the training chapters."""
    rank: int
    """1 for the nearest."""
    neighbour: str
    cosine: float


def frequent_words(texts: Sequence[str], counts: np.ndarray, known: np.ndarray, most: int) -> np.ndarray:
    """Return the most frequent tokens that are words of two letters or more and have a vector, int64 [word].

    Where tokens bring the space before them along, one without it continues a word and is none.
    """
    before = " " if any(text.startswith(" ") for text in texts) else ""
    words = np.array([_is_word(text) and text.startswith(before) for text in texts], dtype=bool) & known
    order = np.argsort(-counts, kind="stable")
    return np.asarray(order[words[order]][:most])


def _is_word(text: str) -> bool:
    return len(text.strip()) > 1 and text.strip().isalpha()


def nearest_neighbours(
    vectors: np.ndarray, texts: Sequence[str], counts: np.ndarray, tokens: np.ndarray, most: int
) -> list[Neighbour]:
    """Return for each of some tokens the others that are nearest by cosine.

    Args:
        vectors: of all tokens, float32 [token dimension].
        texts: how each token looks.
        counts: how often each token occurs [token].
        tokens: the tokens to compare [word].
        most: neighbours of each.
    """
    chosen = vectors[tokens].astype(np.float64)
    unit = chosen / np.linalg.norm(chosen, axis=1, keepdims=True).clip(min=1e-12)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, : min(most, len(tokens) - 1)]
    return [
        Neighbour(
            texts[token].strip(), int(counts[token]), rank, texts[tokens[other]].strip(), float(cosines[row, other])
        )
        for row, token in enumerate(tokens)
        for rank, other in enumerate(nearest[row], start=1)
    ]
