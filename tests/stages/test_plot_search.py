import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nextchapter.stages.plot_search import main

RUNS = {f"sizes.{a}-{b}.s1": ("lstm", 4.2, 2.0 + 0.1 * abs(a - 2) + 0.2 * b) for a in (1, 2) for b in (1, 2, 3)}
SPEC = {"search": "sizes", "grid": ["model.hidden", "training.learning_rate"], "random": [], "scales": {}}


def note_values(study: Path, run: str, values: Mapping[str, Any]) -> None:
    """Note in a run's provenance what a search gave it."""
    path = study / "runs" / run / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "search": {"name": "sizes", "values": values}}))


def arguments(study: Path, output: Path, runs: Sequence[str], spec: Mapping[str, Any]) -> list[str]:
    return [
        "--spec", json.dumps(spec),
        "--provenance", *(f"{study}/runs/{run}/run.json" for run in runs),
        "--metrics", *(f"{study}/runs/{run}/metrics.json" for run in runs),
        *(text for kind in ("csv", "svg", "png") for text in (f"--{kind}", f"{output}/sizes.{kind}")),
    ]  # fmt: skip


def test_a_search_is_tabled_and_drawn_twice_alike_and_its_best_named(
    results_tree: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree(runs=RUNS)
    for run in RUNS:
        hidden, rate = (int(place) - 1 for place in run.removesuffix(".s1").split(".")[1].split("-"))
        values = {"model.hidden": (64, 128)[hidden], "training.learning_rate": (0.001, 0.01, 0.1)[rate]}
        note_values(study, run, values)
    for folder in ("a", "b"):
        assert main(arguments(study, tmp_path / folder, list(RUNS), SPEC)) == 0
    for kind in ("csv", "svg", "png"):
        assert (tmp_path / f"a/sizes.{kind}").read_bytes() == (tmp_path / f"b/sizes.{kind}").read_bytes()
    with (tmp_path / "a/sizes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows][:2] == ["sizes.2-1.s1", "sizes.1-1.s1"]
    assert [row["best"] for row in rows] == ["True"] + ["False"] * 5
    assert (rows[0]["model.hidden"], rows[0]["training.learning_rate"]) == ("128", "0.001")
    assert "the best of 6 runs is sizes.2-1.s1" in capfd.readouterr().err
