from pathlib import Path

import numpy as np
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.embeddings.vectors import (
    LearnedVectors,
    export_names,
    load_vectors,
    save_vectors,
    write_word2vec_text,
)

TEXTS = [" the", "a", "a", "\n", "\n\n", "\u2581", "\\", "", " ", "\u00a0x", "Ж", "红楼", "\x85", "\U0001f408"]


def test_gensim_loads_the_text_file_back_equal(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).normal(size=(len(TEXTS), 7)).astype(np.float32)
    vectors[0, 0], vectors[1, 1] = 1e-38, -3.3333333e20
    names = export_names(TEXTS)
    write_word2vec_text(tmp_path / "v.txt", names, vectors)
    loaded = KeyedVectors.load_word2vec_format(tmp_path / "v.txt")
    assert loaded.index_to_key == names
    assert np.array_equal(loaded.vectors, vectors)
    assert names[:6] == ["\u2581the", "a", "a\\#2", "\\n", "\\n\\n", "\\u2581"]


@given(st.lists(st.text(max_size=4), max_size=30))
def test_names_are_unique_and_without_white_space(texts: list[str]) -> None:
    names = export_names(texts)
    assert len(set(names)) == len(texts)
    assert all(name and name.split() == [name] for name in names)


def test_vectors_come_back_from_their_file_and_equal_ones_give_equal_bytes(tmp_path: Path) -> None:
    learned = LearnedVectors(np.eye(3, dtype=np.float32), np.array([True, False, True]), {})
    for name in ("a", "b"):
        save_vectors(tmp_path / name, learned)
    vectors, known = load_vectors(tmp_path / "a")
    assert np.array_equal(vectors, learned.vectors)
    assert known.tolist() == [True, False, True]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
