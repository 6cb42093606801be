from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nextchapter.stages.plot_curves import main
from nextchapter.store.events import read_events
from nextchapter.store.files import read_json, write_json

RUNS = ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]


def test_the_curves_of_all_runs_are_drawn_twice_alike(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree(resumed=["gru-384.s1"])
    for folder in ("a", "b"):
        outputs = [
            text for kind in ("svg", "png", "csv") for text in (f"--{kind}", f"{tmp_path}/{folder}/curves.{kind}")
        ]
        files = {name: [f"{study}/runs/{run}/{name}" for run in RUNS] for name in ("events.jsonl", "run.json")}
        assert main(["--events", *files["events.jsonl"], "--provenance", *files["run.json"], *outputs]) == 0
    for kind in ("svg", "png", "csv"):
        assert (tmp_path / f"a/curves.{kind}").read_bytes() == (tmp_path / f"b/curves.{kind}").read_bytes()
    assert str(tmp_path) not in (tmp_path / "a/curves.svg").read_text()
    drawn = pd.read_csv(tmp_path / "a/curves.csv")
    assert sorted(drawn["run"].unique()) == RUNS
    valid = drawn[(drawn["run"] == "gru-384.s1") & (drawn["split"] == "valid")]
    logged = [event for event in read_events(study / "runs/gru-384.s1/events.jsonl") if event["event"] == "valid"]
    assert valid["loss_nats"].tolist() == [event["metrics"]["valid/loss_nats"] for event in logged]
    assert valid["tokens"].tolist() == [event["tokens"] for event in logged]


def test_a_run_made_of_others_has_no_curve(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree()
    provenance = study / "runs/lstm-384.s1/run.json"
    write_json(provenance, {**read_json(provenance), "members": ["gru-384.s1", "elman-384.s1"]})
    inputs = [
        text for option, name in (("--events", "events.jsonl"), ("--provenance", "run.json"))
        for text in (option, *(f"{study}/runs/{run}/{name}" for run in RUNS))
    ]  # fmt: skip
    assert main([*inputs, "--svg", "a.svg", "--png", "a.png", "--csv", "a.csv"]) == 0
    assert sorted(pd.read_csv("a.csv")["run"].unique()) == RUNS[:2]
