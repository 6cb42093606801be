from pathlib import Path
from types import SimpleNamespace

import pytest

from nextchapter.embeddings.vectors import load_vectors
from nextchapter.stages.train_embedding import main
from nextchapter.store.files import read_json


@pytest.mark.parametrize("spec", [{}, {"kind": "word2vec"}, {"kind": "word2vec", "variant": "cbow"}])
def test_a_second_call_writes_the_same_bytes(
    embedded: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, spec: dict[str, str]
) -> None:
    files = []
    for _ in range(2):
        assert main(arguments.train_embedding(small_shelf, embedded, **spec)) == 0
        files.append([(embedded / name).read_bytes() for name in ("vectors.safetensors", "embedding.json")])
    assert files[0] == files[1]
    vectors, known = load_vectors(embedded / "vectors.safetensors")
    facts = read_json(embedded / "embedding.json")
    assert vectors.shape == (facts["vocabulary_size"], 8)
    assert known.sum() == facts["tokens_with_vector"] > 40
    assert vectors[known].any(axis=1).all()
    assert not vectors[~known].any()


def test_glove_tells_how_its_objective_fell(embedded: Path) -> None:
    losses = read_json(embedded / "embedding.json")["loss_per_epoch"]
    assert len(losses) == 3
    assert losses[2] < losses[0]
    assert not list(Path(".work/train_embedding").iterdir())
