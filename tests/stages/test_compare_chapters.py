import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.stages.compare_chapters import main

RUNS = ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]


def test_the_table_and_the_figures_are_made_twice_alike(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree()
    inputs = [
        part
        for name, file in (
            ("examinations", "examination.json"),
            ("curves", "type-token.csv"),
            ("provenance", "run.json"),
        )
        for part in (f"--{name}", *(f"{study}/runs/{run}/{file}" for run in RUNS))
    ]
    names = {"style": "style", "growth": "type-token"}
    for folder in ("a", "b"):
        figures = [f"--{key}-{kind}={folder}/{names[key]}.{kind}" for key in names for kind in ("svg", "png")]
        assert main([*inputs, f"--chapters={folder}/chapters.csv", *figures]) == 0
    for path in filter(Path.is_file, Path("a").iterdir()):
        assert path.read_bytes() == Path("b", path.name).read_bytes()
    with Path("a/chapters.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == RUNS
    assert {row["nearest_other"] for row in rows} == {"Maria Edgeworth"}
    assert float(rows[0]["delta_to_author"]) == 0.66
    assert (float(rows[0]["distinct_2_real_low"]), float(rows[0]["distinct_2_real_high"])) == (0.1, 0.9)
    assert rows[0]["flagged"] == "False"
