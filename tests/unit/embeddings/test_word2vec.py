import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from nextchapter.embeddings.vectors import Material
from nextchapter.embeddings.word2vec import SENTENCE_TOKENS, Sentences, learn_vectors
from nextchapter.spec.embeddings import Word2vecSpec
from nextchapter.tokens.stream import TokenStream

VOCABULARY = 14


def _learn(stream: TokenStream, variant: Literal["skip-gram", "cbow"] = "skip-gram", seed: int = 1) -> np.ndarray:
    spec = Word2vecSpec(
        tokenizer="t", dimensions=8, variant=variant, seed=seed, epochs=8, subsampling=0, learning_rate=0.05
    )
    learned = learn_vectors(Material(stream, VOCABULARY, None, Path()), spec)
    assert learned.known.tolist() == [1 <= token <= 11 for token in range(VOCABULARY)]
    assert not learned.vectors[~learned.known].any()
    return learned.vectors


@pytest.mark.parametrize("variant", ["skip-gram", "cbow"])
def test_tokens_that_keep_company_are_near(stream: TokenStream, variant: Literal["skip-gram", "cbow"]) -> None:
    vectors = _learn(stream, variant)[2:12]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    inside = (cosines[:5, :5].sum() + cosines[5:, 5:].sum() - 10) / 40
    assert inside > cosines[:5, 5:].mean() + 0.2


def test_equal_seeds_give_equal_vectors_whatever_the_hash_of_the_process(stream: TokenStream, tmp_path: Path) -> None:
    code = f"""
import sys; from pathlib import Path; import numpy as np
from nextchapter.embeddings.vectors import Material; from nextchapter.embeddings.word2vec import learn_vectors
from nextchapter.spec.embeddings import Word2vecSpec; from nextchapter.tokens.stream import TokenStream
spec = Word2vecSpec(tokenizer="t", dimensions=8, epochs=8, subsampling=0, learning_rate=0.05)
stream = TokenStream.open({str(tmp_path / "train.bin")!r}, "uint16")
np.save(sys.argv[1], learn_vectors(Material(stream, {VOCABULARY}, None, Path()), spec).vectors)
"""
    import os

    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "v.npy")], check=True, env=environment)
    assert np.array_equal(_learn(stream), np.load(tmp_path / "v.npy"))
    assert not np.array_equal(_learn(stream), _learn(stream, seed=2))


def test_chapters_are_cut_into_sentences_that_gensim_reads_whole(tmp_path: Path) -> None:
    tokens = np.arange(SENTENCE_TOKENS * 2 + 7, dtype=np.uint16)
    sentences = Sentences(TokenStream(tokens, np.array([0, 5, len(tokens)])))
    for _ in range(2):
        read = list(sentences)
        assert [len(sentence) for sentence in read] == [5, SENTENCE_TOKENS, SENTENCE_TOKENS, 2]
        assert [int(token) for sentence in read for token in sentence] == tokens.tolist()


def test_a_corpus_without_a_frequent_token_has_no_vectors() -> None:
    stream = TokenStream(np.array([1, 2, 3], dtype=np.uint16), np.array([0, 3]))
    learned = learn_vectors(Material(stream, 5, None, Path()), Word2vecSpec(tokenizer="t", dimensions=4))
    assert not learned.known.any()
    assert learned.vectors.shape == (5, 4)
