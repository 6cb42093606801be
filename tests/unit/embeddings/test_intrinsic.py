from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from nextchapter.embeddings.intrinsic import (
    TokenVectors,
    read_analogies,
    read_similarities,
    score_all,
    score_analogies,
    score_similarity,
    word_vectors,
)


def word_level(words: list[str], vectors: np.ndarray) -> TokenVectors:
    """Return vectors of whole words; 0 stands for an unknown one, 1 for white space."""
    ids = {word: number for number, word in enumerate(words, start=2)}
    table = np.concatenate([np.ones((2, vectors.shape[1])), vectors]).astype(np.float32)
    usable, blank = np.ones(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    usable[0], blank[1] = False, True
    return TokenVectors(table, usable, blank, lambda text: [1, *(ids.get(word, 0) for word in text.split())])


@pytest.fixture(scope="module")
def questions() -> list[tuple[str, str, str, str]]:
    return read_analogies(Path(datapath("questions-words.txt")))[::40]


def test_the_similarity_score_is_that_of_gensim() -> None:
    pairs = read_similarities(Path(datapath("wordsim353.tsv")))
    words = sorted({word.lower() for pair in pairs for word in pair[:2]})[:300]
    vectors = np.random.default_rng(0).normal(size=(len(words), 20))
    keyed = KeyedVectors(20)
    keyed.add_vectors(words, vectors.astype(np.float32))
    _, spearman, missing = keyed.evaluate_word_pairs(datapath("wordsim353.tsv"))
    found = score_similarity(pairs, word_level(words, vectors))
    assert found["spearman"] == pytest.approx(spearman[0], abs=1e-6)
    assert found["covered_share"] == pytest.approx(1 - missing / 100)
    assert found["pairs"] == 353


def test_the_analogy_score_is_that_of_gensim(questions: list[tuple[str, str, str, str]], tmp_path: Path) -> None:
    words = sorted({word for question in questions for word in question})
    generator = np.random.default_rng(0)
    roots = {tuple(question[:2]): generator.normal(size=12) for question in questions}
    vectors = generator.normal(0, 0.5, (len(words), 12))
    for (a, b), shift in roots.items():
        vectors[words.index(b)] = vectors[words.index(a)] + shift
    file = tmp_path / "questions.txt"
    file.write_text(": some\n" + "\n".join(" ".join(question) for question in questions) + "\n")
    keyed = KeyedVectors(12)
    keyed.add_vectors(words, vectors.astype(np.float32))
    expected, _ = keyed.evaluate_word_analogies(file, case_insensitive=False)
    found = score_analogies(questions, word_level(words, vectors))
    assert 0 < expected < 1
    assert found["accuracy"] == pytest.approx(expected)
    assert found["covered_share"] == 1.0


def test_a_word_is_the_mean_of_its_tokens_and_covered_only_with_all_of_them() -> None:
    vectors = np.array([[0, 0], [1, 0], [0, 1], [4, 4], [0, 2]], dtype=np.float32)
    pieces = {" ab": [1, 2], " Cd": [3], " cd": [4], " x": [0, 1]}
    usable, blank = np.array([True, True, True, False, True]), np.array([True, False, False, False, False])
    words = word_vectors(["ab", "Cd", "x", "none"], TokenVectors(vectors, usable, blank, lambda t: pieces.get(t, [])))
    assert words.rows == {"ab": 0, "Cd": 1, "x": 2}
    np.testing.assert_allclose(words.vectors, [[0.5**0.5, 0.5**0.5], [0, 1], [1, 0]])


def test_what_is_not_covered_has_no_score() -> None:
    empty = word_level([], np.empty((0, 3)))
    scores = score_all(empty)
    assert scores["wordsim353"] == {"spearman": None, "pairs": 353, "covered_share": 0.0}
    assert scores["simlex999"] == {"spearman": None, "pairs": 999, "covered_share": 0.0}
    assert scores["questions-words"] == {"accuracy": None, "questions": 19_544, "covered_share": 0.0}
