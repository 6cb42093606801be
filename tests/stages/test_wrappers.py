"""Runs that are made of other runs, through all stages of a run."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from nextchapter.models.protocol import count_parameters
from nextchapter.models.registry import load_model
from nextchapter.stages import evaluate_model, write_chapter
from nextchapter.stages.train_model import main
from nextchapter.store.events import read_events
from nextchapter.store.files import read_json, sha256_of

NGRAM = {"kind": "ngram", "order": 3}
CACHE = {"kind": "cache", "of": "lstm", "size": 50}
DYNAMIC = {"kind": "dynamic", "of": "lstm", "segment": 20}
ENSEMBLE = {"kind": "ensemble", "members": ["lstm-cached", "ngram"]}


@pytest.fixture
def fit(small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path) -> Any:
    """Return a function that fits a run made of others, and returns its folder."""

    def call(folder: str, model: dict[str, Any], **members: Path) -> Path:
        names = {"members": [f"{name}.s1" for name in members]} if members else {}
        command = arguments.train_model(small_shelf, tmp_path / folder, model=model, run=f"{folder}.s1", **names)
        files = [str(member / "model.safetensors") for member in members.values()]
        assert main([*command, "--members", *files]) == 0
        return tmp_path / folder

    return call


@pytest.fixture
def runs(trained: Path, fit: Any) -> dict[str, Path]:
    """Return the folders of a network, its cache, an n-gram, and an ensemble of these two."""
    cached, ngram = fit("lstm-cached", CACHE, lstm=trained), fit("ngram", NGRAM)
    mix = fit("mix", ENSEMBLE, lstm_cached=cached, ngram=ngram)
    return {"lstm": trained, "lstm-cached": cached, "ngram": ngram, "mix": mix}


def test_a_run_made_of_others_leaves_the_files_of_a_run(runs: dict[str, Path], small_shelf: Path) -> None:
    records = {name: read_json(folder / "run.json") for name, folder in runs.items()}
    mix, facts = records["mix"], read_json(small_shelf / "tokens.json")
    assert mix["members"] == ["lstm_cached.s1", "ngram.s1"]
    assert mix["inputs"]["ngram.s1"] == sha256_of(runs["ngram"] / "model.safetensors")
    assert mix["inputs"]["lstm_cached.s1"] == sha256_of(runs["lstm-cached"] / "model.safetensors")
    assert records["lstm-cached"]["parameters"] == records["lstm"]["parameters"] + 3
    assert mix["parameters"] == records["lstm-cached"]["parameters"] + records["ngram"]["parameters"] + 2
    assert (mix["steps"], mix["stopped_by"], mix["tokens"]) == (1, "budget", facts["splits"]["valid"]["tokens"])
    assert [event["event"] for event in read_events(runs["mix"] / "events.jsonl")] == ["start", "valid", "end"]
    losses = {name: record["valid_nats_per_token"] for name, record in records.items()}
    assert losses["lstm-cached"] <= losses["lstm"] + 1e-6
    assert losses["mix"] <= min(losses["lstm-cached"], losses["ngram"]) + 1e-6


def test_a_second_call_gives_the_same_bytes(runs: dict[str, Path], fit: Any) -> None:
    again = fit("lstm-cached-again", CACHE, lstm=runs["lstm"])
    assert (again / "model.safetensors").read_bytes() == (runs["lstm-cached"] / "model.safetensors").read_bytes()
    again = fit("mix-again", ENSEMBLE, lstm_cached=again, ngram=runs["ngram"])
    assert (again / "model.safetensors").read_bytes() == (runs["mix"] / "model.safetensors").read_bytes()


def test_a_network_that_goes_on_learning_is_a_run_as_well(
    trained: Path, fit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("STATISTICS_TOKENS", 400), ("TUNING_TOKENS", 100), ("LEARNING_RATES", (1e-4, 1e-3))):
        monkeypatch.setattr(f"nextchapter.models.dynamic.{name}", value)
    runs = [fit(folder, DYNAMIC, lstm=trained) for folder in ("lstm-dynamic", "again")]
    one, other = ((run / "model.safetensors").read_bytes() for run in runs)
    assert one == other
    assert read_json(runs[0] / "run.json")["parameters"] == read_json(trained / "run.json")["parameters"] + 2
    rms = load_model(runs[0] / "model.safetensors").get_buffer("rms")
    assert rms.min() > 0
    assert rms.max() > 5 * rms.min()


def test_the_file_of_a_run_made_of_others_needs_no_other(
    runs: dict[str, Path], small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    tokens = torch.tensor([[1, 9, 17, 9, 17, 9]])
    before = load_model(runs["mix"] / "model.safetensors")
    expected, _ = before(tokens, before.initial_state(1))
    moved = tmp_path / "elsewhere"
    shutil.move(runs["mix"], moved)
    for name in ("lstm", "lstm-cached", "ngram"):
        shutil.rmtree(runs[name])
    model = load_model(moved / "model.safetensors")
    assert torch.equal(model(tokens, model.initial_state(1))[0], expected)
    assert count_parameters(model) == read_json(moved / "run.json")["parameters"]
    assert evaluate_model.main(arguments.evaluate_model(small_shelf, moved, moved)) == 0
    assert read_json(moved / "metrics.json")["splits"]["valid"]["nats_per_token"] == pytest.approx(
        read_json(moved / "run.json")["valid_nats_per_token"], rel=1e-5
    )
    assert write_chapter.main(arguments.write_chapter(small_shelf, moved, moved)) == 0
    assert json.loads((moved / "chapter.json").read_text())["words"] >= 20
