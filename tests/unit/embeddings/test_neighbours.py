import numpy as np

from nextchapter.embeddings.neighbours import frequent_words, nearest_neighbours

TEXTS = [" the", "ing", " a", " cat", ",", " dog", " rare"]
COUNTS = np.array([50, 40, 30, 20, 60, 25, 1])


def test_frequent_words_are_whole_and_in_order() -> None:
    known = np.array([True, True, True, True, True, True, False])
    assert frequent_words(TEXTS, COUNTS, known, 10).tolist() == [0, 5, 3]
    assert frequent_words(TEXTS, COUNTS, known, 2).tolist() == [0, 5]
    bare = [text.strip() for text in TEXTS]
    assert frequent_words(bare, COUNTS, known, 10).tolist() == [0, 1, 5, 3]


def test_neighbours_are_those_of_the_largest_cosine() -> None:
    vectors = np.array([[1, 0], [0, 0], [0, 0], [0, 3], [0, 0], [1, 2], [0, 0]], dtype=np.float32)
    rows = nearest_neighbours(vectors, TEXTS, COUNTS, np.array([0, 5, 3]), 5)
    assert [(row.word, row.rank, row.neighbour) for row in rows] == [
        ("the", 1, "dog"), ("the", 2, "cat"), ("dog", 1, "cat"),
        ("dog", 2, "the"), ("cat", 1, "dog"), ("cat", 2, "the"),
    ]  # fmt: skip
    assert rows[2].cosine == float(np.float64(6) / (3 * np.sqrt(5)))
    assert rows[2].occurrences == 25
