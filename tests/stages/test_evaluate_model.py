import math
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from nextchapter.models.registry import load_model
from nextchapter.stages import train_model
from nextchapter.stages.evaluate_model import main
from nextchapter.store.files import read_json
from nextchapter.tokens.unigram import UnigramTokenizer


def test_bits_a_character_are_all_nats_over_all_code_points(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    """The figure again, from the texts themselves, one token at a time."""
    assert main(arguments.evaluate_model(small_shelf, trained, tmp_path / "a")) == 0
    model = load_model(trained / "model.safetensors")
    tokenizer = UnigramTokenizer.load(small_shelf / "tokenizer.model")
    nats, characters = 0.0, 0
    for text in pd.read_parquet(small_shelf / "test.parquet")["text"]:
        state, token = model.initial_state(1), tokenizer.end_of_chapter
        for target in [*tokenizer.encode(text), tokenizer.end_of_chapter]:
            with torch.no_grad():
                log_probs, state = model.step(torch.tensor([token]), state)
            nats -= float(log_probs[0, target])
            token = target
        characters += len(text)
    metrics = read_json(tmp_path / "a/metrics.json")["splits"]["test"]
    assert metrics["characters"] == characters
    assert metrics["bits_per_character"] == pytest.approx(nats / characters / math.log(2), rel=1e-5)
    assert metrics["perplexity"] == pytest.approx(math.exp(nats / metrics["tokens"]), rel=1e-5)
    assert metrics["ci_low"] < metrics["bits_per_character"] < metrics["ci_high"]


def test_a_second_call_writes_the_same_bytes_without_times(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        assert main(arguments.evaluate_model(small_shelf, trained, tmp_path / name)) == 0
    for file in ("metrics.json", "predictions.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_passage_is_that_of_the_first_test_chapter(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    assert main(arguments.evaluate_model(small_shelf, trained, tmp_path)) == 0
    table = pd.read_csv(tmp_path / "predictions.csv", keep_default_na=False)
    text = pd.read_parquet(small_shelf / "test.parquet")["text"].iloc[0]
    assert len(table) == 12
    assert text.startswith("".join(table["true"]))
    assert list(table.columns[:5]) == ["position", "book", "chapter", "true", "true_probability"]
    assert table["probability_1"].between(0, 1).all()


def test_a_run_on_whole_chapters_has_no_cuts_to_lose_between(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = {"truncation": "chapter", "batch_size": 3, "max_steps": 2}
    assert train_model.main(arguments.train_model(small_shelf, tmp_path / "run", training=whole)) == 0
    assert main(arguments.evaluate_model(small_shelf, tmp_path / "run", tmp_path)) == 0
    profile = read_json(tmp_path / "profile.json")
    assert profile["truncation"] == []
    assert profile["place"]
