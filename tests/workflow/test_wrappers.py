"""Runs that are made of other runs, by Snakemake itself."""

from typing import Any

import pandas as pd
import yaml

from nextchapter.models.registry import load_model
from nextchapter.store.files import read_json

AFTER_A_RUN = ["choose_chapter", "compare_runs", "plot_curves", "plot_leaderboard", "render_chapters", "track_study"]
A_RUN = ["draw_network", "evaluate_model", "track_run", "train_model", "write_chapter"]
WRAPPERS = {
    "cached": {"model": {"kind": "cache", "of": "lstm", "size": 50}},
    "mix": {"model": {"kind": "ensemble", "members": ["cached.s1", "elman"]}},
}


def _jobs(*runs: str) -> list[str]:
    return sorted([*(f"{rule} {run}" for rule in A_RUN for run in runs), *AFTER_A_RUN])


def test_runs_made_of_others_follow_them_and_run_none_again(finished: Any) -> None:
    runs = yaml.safe_load((finished.folder / "config/config.yaml").read_text())["runs"]
    finished.configure(runs=runs | WRAPPERS)
    assert finished.planned() == _jobs("cached.s1", "mix.s1")
    code, output = finished.snakemake()
    assert code == 0, output
    assert finished.planned() == []

    board = pd.read_csv(finished.results / "leaderboard.csv").set_index("run")
    assert sorted(board.index) == ["cached.s1", "elman.s1", "lstm.s1", "mix.s1"]
    assert board.loc["cached.s1", "parameters"] == board.loc["lstm.s1", "parameters"] + 3
    for run in ("cached.s1", "mix.s1"):
        folder = finished.results / "runs" / run
        assert (folder / "chapter.md").read_text().startswith("# CHAPTER 6")
        assert read_json(folder / "mlflow.json")["published"]
        assert len(load_model(folder / "model.safetensors").models) == len(read_json(folder / "run.json")["members"])

    runs["lstm"]["model"]["hidden"] = 12
    finished.configure(runs=runs | WRAPPERS)
    assert finished.planned() == _jobs("cached.s1", "lstm.s1", "mix.s1")
    runs["lstm"]["model"]["hidden"] = 16
    smaller = {**WRAPPERS, "cached": {"model": {"kind": "cache", "of": "lstm", "size": 49}}}
    finished.configure(runs=runs | smaller)
    assert finished.planned() == _jobs("cached.s1", "mix.s1")
