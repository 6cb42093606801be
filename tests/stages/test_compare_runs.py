import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.stages.compare_runs import main


def arguments(study: Path, output: Path, runs: list[str]) -> list[str]:
    inputs = {
        "provenance": "run.json",
        "metrics": "metrics.json",
        "blocks": "blocks.csv",
        "examinations": "examination.json",
    }
    names = ("leaderboard.csv", "configurations.csv", "champion.json", "comparisons.csv")
    files = [(key, [f"{study}/runs/{run}/{name}" for run in runs]) for key, name in inputs.items()]
    files += [(name.partition(".")[0], [f"{output}/{name}"]) for name in names]
    return ["--spec", '{"corpus": "austen"}', *(text for key, paths in files for text in (f"--{key}", *paths))]


@pytest.mark.parametrize("runs", [["gru-384.s1"], ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]])
def test_the_leaderboard_and_the_champion_are_written_twice_alike(
    runs: list[str], results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree()
    for folder in ("a", "b"):
        assert main(arguments(study, tmp_path / folder, runs)) == 0
    for name in ("leaderboard.csv", "configurations.csv", "champion.json", "comparisons.csv"):
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


def test_runs_share_a_rank_where_their_blocks_do_not_tell_them_apart(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The GRU loses and wins by turns against the LSTM, by far more than the difference of their scores."""
    monkeypatch.chdir(tmp_path)
    study, runs = results_tree(), ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]
    path = study / "runs/gru-384.s1/blocks.csv"
    header, *rows = path.read_text().splitlines()
    moved = [row.split(",") for row in rows]
    for place, row in enumerate(moved):
        row[2] = str(float(row[2]) + (500.0 if place % 2 else -500.0))
    path.write_text("\n".join([header, *map(",".join, moved), ""]))
    assert main(arguments(study, tmp_path, runs)) == 0
    with (tmp_path / "leaderboard.csv").open() as file:
        assert [(row["rank"], row["run"]) for row in csv.DictReader(file)] == [
            ("1", "lstm-384.s1"), ("1", "gru-384.s1"), ("3", "elman-384.s1")
        ]  # fmt: skip
    with (tmp_path / "comparisons.csv").open() as file:
        pairs = {(row["better"], row["worse"]): row for row in csv.DictReader(file)}
    assert len(pairs) == 3
    tied, parted = pairs["lstm-384.s1", "gru-384.s1"], pairs["lstm-384.s1", "elman-384.s1"]
    assert float(tied["low"]) < 0 < float(tied["difference"]) < float(tied["high"])
    assert float(tied["p"]) > 0.05 > float(parted["p_holm"])
    assert float(parted["difference"]) == pytest.approx(0.23)
