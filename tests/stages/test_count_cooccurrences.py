from pathlib import Path
from types import SimpleNamespace

import pytest

from nextchapter.embeddings.cooccurrence import CooccurrenceFile, unpack
from nextchapter.stages.count_cooccurrences import main
from nextchapter.store.files import read_json


def test_pairs_are_counted_twice_with_the_same_bytes(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        assert main(arguments.count_cooccurrences(small_shelf, tmp_path / name)) == 0
    assert (tmp_path / "a/cooccurrences.bin").read_bytes() == (tmp_path / "b/cooccurrences.bin").read_bytes()
    pairs = CooccurrenceFile(tmp_path / "a/cooccurrences.bin").read()
    assert unpack(pairs.pair)[1].max() < read_json(small_shelf / "tokens.json")["vocabulary_size"]
    tokens = read_json(small_shelf / "tokens.json")["splits"]["train"]["tokens"]
    assert 0.9 * tokens * (1 + 1 / 2 + 1 / 3 + 1 / 4) < pairs.weight.sum() < tokens * (1 + 1 / 2 + 1 / 3 + 1 / 4)
