from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from gensim.models import KeyedVectors

from nextchapter.embeddings.vectors import load_vectors
from nextchapter.stages.evaluate_embedding import main
from nextchapter.store.files import read_json
from nextchapter.tokens.unigram import UnigramTokenizer


def test_vectors_are_scored_named_and_exported(
    embedded: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        assert main(arguments.evaluate_embedding(small_shelf, embedded, tmp_path / name)) == 0
    for file in ("scores.json", "neighbours.csv", "vocabulary.json", "vectors.txt"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    vectors, known = load_vectors(embedded / "vectors.safetensors")
    assert np.array_equal(KeyedVectors.load_word2vec_format(tmp_path / "a/vectors.txt").vectors, vectors[known])
    tokenizer = UnigramTokenizer.load(small_shelf / "tokenizer.model")
    vocabulary = read_json(tmp_path / "a/vocabulary.json")
    assert vocabulary == [tokenizer.token_text(token) for token in range(tokenizer.vocabulary_size)]
    scores = read_json(tmp_path / "a/scores.json")
    assert {name: score["covered_share"] < 1 for name, score in scores.items()} == dict.fromkeys(scores, True)
    neighbours = pd.read_csv(tmp_path / "a/neighbours.csv", keep_default_na=False)
    assert (neighbours["word"] != neighbours["neighbour"]).all()
    assert (neighbours.groupby("word")["cosine"].diff().dropna() <= 0).all()
