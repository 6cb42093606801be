"""Finished studies, small."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from nextchapter.models.registry import build_model, save_model
from nextchapter.store.files import write_json
from nextchapter.tokens.unigram import UnigramTokenizer

MODEL = {"kind": "gru", "hidden": 8, "embedding": 8}


@pytest.fixture
def results(tmp_path: Path, tokenizer: UnigramTokenizer, salad: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two studies with a run `net.s1` each; the first has a second run, of two seeds, and a champion."""
    for study, runs in (("shelf", ("net.s1", "other.s1", "other.s2")), ("tales", ("net.s1", "solo.s1"))):
        folder = tmp_path / "results" / study
        (folder / "tokens" / "pieces").mkdir(parents=True)
        (folder / "corpus").mkdir()
        tokenizer.save(folder / "tokens" / "pieces" / "tokenizer.model")
        pq.write_table(pa.table({"text": [salad]}), folder / "corpus" / "train.parquet")
        for place, run in enumerate(runs):
            torch.manual_seed(place)
            (folder / "runs" / run).mkdir(parents=True)
            save_model(
                folder / "runs" / run / "model.safetensors", build_model(MODEL, tokenizer.vocabulary_size), MODEL
            )
            write_json(folder / "runs" / run / "run.json", {"run": run, "study": study, "tokenizer": "pieces"})
    write_json(tmp_path / "results" / "shelf" / "champion.json", {"run": "other.s2"})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"
