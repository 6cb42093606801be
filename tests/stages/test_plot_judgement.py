from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nextchapter.report.leaderboard import compare
from nextchapter.stages.plot_judgement import main
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv

OUTPUTS = {"calibration-svg": "c.svg", "calibration-png": "c.png", "losses-svg": "l.svg", "losses-png": "l.png",
           "losses-csv": "l.csv"}  # fmt: skip


def test_both_figures_are_drawn_twice_alike(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = sorted((results_tree() / "runs").iterdir())
    records, metrics = ([read_json(run / name) for run in folders] for name in ("run.json", "metrics.json"))
    write_csv(tmp_path / "leaderboard.csv", compare(records, metrics, "austen"))
    profiles = [str(run / "profile.json") for run in folders]
    for name in ("a", "b"):
        outputs = [text for key, file in OUTPUTS.items() for text in (f"--{key}", f"{name}/{file}")]
        assert main(["--leaderboard", "leaderboard.csv", "--profiles", *profiles, *outputs]) == 0
    for file in OUTPUTS.values():
        assert Path("a", file).read_bytes() == Path("b", file).read_bytes()
    losses = pd.read_csv("a/l.csv")
    assert set(losses["run"]) == {run.name for run in folders}
    assert losses.groupby("table")["unit"].first().to_dict() == {
        "place": "bits_per_character", "truncation": "nats_per_token", "frequency": "bits_per_word"
    }  # fmt: skip
