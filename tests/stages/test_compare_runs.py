import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.stages.compare_runs import main


def arguments(study: Path, output: Path, runs: list[str]) -> list[str]:
    return [
        "--spec", '{"corpus": "austen"}',
        "--provenance", *(f"{study}/runs/{run}/run.json" for run in runs),
        "--metrics", *(f"{study}/runs/{run}/metrics.json" for run in runs),
        "--examinations", *(f"{study}/runs/{run}/examination.json" for run in runs),
        "--leaderboard", f"{output}/leaderboard.csv", "--configurations", f"{output}/configurations.csv",
        "--champion", f"{output}/champion.json",
    ]  # fmt: skip


@pytest.mark.parametrize("runs", [["gru-384.s1"], ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]])
def test_the_leaderboard_and_the_champion_are_written_twice_alike(
    runs: list[str], results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree()
    for folder in ("a", "b"):
        assert main(arguments(study, tmp_path / folder, runs)) == 0
    for name in ("leaderboard.csv", "configurations.csv", "champion.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with (tmp_path / "a/leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == runs[::-1]
    assert [row["rank"] for row in rows] == [str(rank) for rank in range(1, len(runs) + 1)]
    assert [row["corpus"] for row in rows] == ["austen"] * len(runs)
    assert [(row["longest_copied_words"], row["copies"]) for row in rows] == [("7", "False")] * len(runs)
    champion = json.loads((tmp_path / "a/champion.json").read_text())
    assert champion["run"] == runs[-1]
    assert champion["valid_bits_per_character"] == float(rows[0]["valid_bits_per_character"])


def test_the_order_of_the_runs_does_not_matter(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study, runs = results_tree(), ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]
    assert main(arguments(study, tmp_path / "a", runs)) == 0
    assert main(arguments(study, tmp_path / "b", runs[::-1])) == 0
    assert (tmp_path / "a/leaderboard.csv").read_bytes() == (tmp_path / "b/leaderboard.csv").read_bytes()
