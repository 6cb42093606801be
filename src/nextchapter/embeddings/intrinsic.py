"""How good vectors are on their own: word similarity and analogies, by the word lists that gensim ships.

A word's vector is the mean of its tokens' vectors, the word encoded as it stands in running text, behind a space. A
word is covered when each of its tokens has a vector; one that is not is tried in lower case.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
from gensim.test.utils import datapath
from scipy.stats import spearmanr

SIMILARITY_SETS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
ANALOGY_SET = "questions-words.txt"
_ANALOGIES_AT_ONCE = 2048


class TokenVectors(NamedTuple):
    """Vectors of tokens, and how a text becomes tokens."""

    vectors: np.ndarray
    """float32 [token dimension]."""
    usable: np.ndarray
    """Which tokens have a vector and stand for a text of their own, bool [token]."""
    blank: np.ndarray
    """Which tokens are white space alone, bool [token]."""
    encode: Callable[[str], Sequence[int]]
    """From a text to its tokens."""


class WordVectors(NamedTuple):
    """Vectors of words, of length 1."""

    vectors: np.ndarray
    """float64 [word dimension]."""
    rows: dict[str, int]
    """The row of each word that is covered."""


class SimilarityScore(TypedDict):
    """Agreement with human judgements."""

    spearman: float | None
    """Rank correlation of cosines and judgements; None for fewer than three covered pairs."""
    pairs: int
    covered_share: float
    """Share of the pairs of which both words are covered."""


class AnalogyScore(TypedDict):
    """a is to b as c is to d."""

    accuracy: float | None
    """Share of the covered questions whose d is found; None where none is covered."""
    questions: int
    covered_share: float
    """Share of the questions of which all four words are covered."""


def word_vectors(words: Iterable[str], tokens: TokenVectors) -> WordVectors:
    """Return the vectors of those of some words that are covered."""
    pieces: list[Sequence[int]] = []
    rows: dict[str, int] = {}
    for word in dict.fromkeys(words):
        found = _usable_tokens(word, tokens) or _usable_tokens(word.lower(), tokens)
        if found:
            rows[word] = len(pieces)
            pieces.append(found)
    if not pieces:
        return WordVectors(np.empty((0, tokens.vectors.shape[1])), rows)
    starts = np.concatenate([[0], np.cumsum([len(found) for found in pieces])[:-1]])
    sums = np.add.reduceat(tokens.vectors[np.concatenate(pieces)].astype(np.float64), starts)
    return WordVectors(sums / np.linalg.norm(sums, axis=1, keepdims=True).clip(min=1e-12), rows)


def _usable_tokens(word: str, tokens: TokenVectors) -> list[int]:
    """Return the tokens of a word, or none where one of them has no vector."""
    found = [token for token in tokens.encode(f" {word}") if not tokens.blank[token]]
    return found if all(tokens.usable[token] for token in found) else []


def score_all(tokens: TokenVectors) -> dict[str, SimilarityScore | AnalogyScore]:
    """Return the scores of the three sets, by name."""
    scores: dict[str, SimilarityScore | AnalogyScore] = {}
    for name, file in SIMILARITY_SETS.items():
        scores[name] = score_similarity(read_similarities(Path(datapath(file))), tokens)
    scores["questions-words"] = score_analogies(read_analogies(Path(datapath(ANALOGY_SET))), tokens)
    return scores


def read_similarities(path: Path) -> list[tuple[str, str, float]]:
    """Return pairs of words and how alike people find them."""
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(first, second, float(score)) for first, second, score in lines]


def read_analogies(path: Path) -> list[tuple[str, str, str, str]]:
    """Return the questions of all sections."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(":")]
    return [(a, b, c, d) for a, b, c, d in lines]


def score_similarity(pairs: Sequence[tuple[str, str, float]], tokens: TokenVectors) -> SimilarityScore:
    """Return Spearman's rank correlation between the cosines of word pairs and people's judgements of them."""
    words = word_vectors((word for first, second, _ in pairs for word in (first, second)), tokens)
    covered = [pair for pair in pairs if pair[0] in words.rows and pair[1] in words.rows]
    spearman = None
    if len(covered) > 2:
        first = words.vectors[[words.rows[pair[0]] for pair in covered]]
        second = words.vectors[[words.rows[pair[1]] for pair in covered]]
        cosines = np.einsum("pd,pd->p", first, second)
        if np.ptp(cosines) > 0:
            spearman = float(spearmanr(cosines, [score for *_, score in covered]).statistic)
    return {"spearman": spearman, "pairs": len(pairs), "covered_share": len(covered) / max(1, len(pairs))}


def score_analogies(questions: Sequence[tuple[str, str, str, str]], tokens: TokenVectors) -> AnalogyScore:
    """Return how often d is the word nearest to b - a + c, of all words of the set but a, b and c.

    The vectors are of length 1 (3CosAdd, Mikolov et al., 2013).
    """
    words = word_vectors((word for question in questions for word in question), tokens)
    rows = [[words.rows.get(word, -1) for word in question] for question in questions]
    covered = np.array([found for found in rows if min(found) >= 0], dtype=np.int64).reshape(-1, 4)
    hits = 0
    for start in range(0, len(covered), _ANALOGIES_AT_ONCE):
        a, b, c, d = covered[start : start + _ANALOGIES_AT_ONCE].T
        cosines = (words.vectors[b] - words.vectors[a] + words.vectors[c]) @ words.vectors.T
        asked = np.arange(len(a))
        for known in (a, b, c):
            cosines[asked, known] = -np.inf
        hits += int((cosines.argmax(axis=1) == d).sum())
    accuracy = hits / len(covered) if len(covered) else None
    return {"accuracy": accuracy, "questions": len(questions), "covered_share": len(covered) / max(1, len(questions))}
