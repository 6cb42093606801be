import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from nextchapter.stages import train_model
from nextchapter.stages.measure_gradients import FIGURES, main
from nextchapter.store.files import read_json

SETTINGS = {"lags": 6, "windows": 4, "jacobian_places": 1, "clipping_steps": 4, "seed": 1}
OUTPUTS = {
    "record": "gradients.json", "table": "gradients.csv",
    **{f"{name}-{suffix}": f"{name}.{suffix}" for name in FIGURES for suffix in ("svg", "png")},
}  # fmt: skip


def _measure(shelf: Path, output: Path, runs: dict[str, Path]) -> int:
    told = [{"run": run, "configuration": run[:-3], "seed": 1, "tokenizer": "t"} for run in runs]
    spec = {"gradients": SETTINGS, "runs": told, "tokenizers": ["t"]}
    arguments = ["--spec", json.dumps(spec), "--models", *(f"{run}/model.safetensors" for run in runs.values())]
    arguments += ["--facts", f"{shelf}/tokens.json", "--train-tokens", f"{shelf}/train.bin"]
    arguments += ["--test-tokens", f"{shelf}/test.bin"]
    return main([*arguments, *(part for name, file in OUTPUTS.items() for part in (f"--{name}", f"{output}/{file}"))])


def test_the_networks_of_a_study_are_measured_twice_alike(small_shelf: Path, trained: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert _measure(small_shelf, tmp_path / name, {"lstm.s1": trained}) == 0
    for file in OUTPUTS.values():
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file
    record = read_json(tmp_path / "a/gradients.json")
    names = [entry["name"] for entry in record["measured"]]
    assert names == ["lstm.s1", "Elman, tanh", "Elman, ReLU", "Elman, sigmoid", "GRU"]
    lstm, *others = record["measured"]
    assert lstm["initial"]["norms"] != lstm["trained"]["norms"]
    assert [entry["trained"] for entry in others] == [None] * 4
    table = pd.read_csv(tmp_path / "a/gradients.csv")
    assert list(table.columns) == ["run", "cell", "when", "lag", "norm", "hidden_norm"]
    assert len(table) == 6 * 7  # the LSTM twice
    drawn = table[(table["run"] == "lstm.s1") & (table["when"] == "trained")]
    assert drawn["norm"].tolist() == pytest.approx(lstm["trained"]["norms"])


def test_the_initial_network_is_the_one_that_the_run_started_from(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    still: dict[str, Any] = {"max_steps": 1, "learning_rate": 1e-12, "weight_decay": 0.0}
    assert train_model.main(arguments.train_model(small_shelf, tmp_path / "run", training=still)) == 0
    assert _measure(small_shelf, tmp_path / "out", {"lstm.s1": tmp_path / "run"}) == 0
    lstm = read_json(tmp_path / "out/gradients.json")["measured"][0]
    assert lstm["initial"]["norms"] == pytest.approx(lstm["trained"]["norms"], rel=1e-4)


def test_a_study_without_recurrent_networks_shows_the_cells_as_they_start(
    small_shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _measure(small_shelf, tmp_path, {}) == 0
    assert len(read_json(tmp_path / "gradients.json")["measured"]) == 5
