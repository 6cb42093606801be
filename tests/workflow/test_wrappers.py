"""Runs that are made of other runs, by Snakemake itself."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import yaml

from nextchapter.store.files import read_json

WRAPPERS = {
    "cached": {"model": {"kind": "cache", "of": "lstm", "size": 50}},
    "mix": {"model": {"kind": "ensemble", "members": ["cached.s1", "elman"]}},
}


def test_runs_made_of_others_follow_them_and_run_none_again(make_project: Callable[[], Any]) -> None:
    project = make_project()
    chapters = {run: f"results/{project.results.name}/runs/{run}/chapter.md" for run in ("elman.s1", "mix.s1")}
    models = [f"results/{project.results.name}/runs/{run}/model.safetensors" for run in ("lstm.s1", "elman.s1")]
    code, output = project.snakemake("--", *models)
    assert code == 0, output
    runs = yaml.safe_load((project.folder / "config/config.yaml").read_text())["runs"]
    project.configure(runs=runs | WRAPPERS)
    added = ["train_model cached.s1", "train_model mix.s1", "write_chapter mix.s1"]
    assert project.planned("--", chapters["mix.s1"]) == added

    board, folder = f"results/{project.results.name}/leaderboard.csv", project.results / "runs/mix.s1"
    wanted = [*chapters.values(), board, chapters["mix.s1"].replace("chapter.md", "network.svg")]
    code, output = project.snakemake("--", *wanted)
    assert code == 0, output
    assert project.planned("--", *wanted) == []
    parameters = pd.read_csv(project.results / "leaderboard.csv").set_index("run")["parameters"]
    assert sorted(parameters.index) == ["cached.s1", "elman.s1", "lstm.s1", "mix.s1"]
    assert parameters["cached.s1"] == parameters["lstm.s1"] + 3
    assert (folder / "chapter.md").read_text().startswith("# CHAPTER 6")
    assert read_json(folder / "run.json")["members"] == ["cached.s1", "elman.s1"]

    runs["lstm"]["model"]["hidden"] = 12
    project.configure(runs=runs | WRAPPERS)
    assert project.planned("--", *chapters.values()) == sorted([*added, "train_model lstm.s1"])
    runs["lstm"]["model"]["hidden"] = 16
    project.configure(runs=runs | {**WRAPPERS, "cached": {"model": {**WRAPPERS["cached"]["model"], "size": 49}}})
    assert project.planned("--", *chapters.values()) == added
