from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.stages import compare_runs
from nextchapter.stages.render_chapters import main

RUNS = ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]


def test_the_page_is_set_twice_alike(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree()

    def of_all(name: str) -> list[str]:
        return [f"{study}/runs/{run}/{name}" for run in RUNS]

    compared = [
        "--spec",
        '{"corpus": "austen"}',
        "--provenance",
        *of_all("run.json"),
        "--metrics",
        *of_all("metrics.json"),
        "--examinations",
        *of_all("examination.json"),
        "--blocks",
        *of_all("blocks.csv"),
    ]
    tables = ["--leaderboard", "leaderboard.csv", "--configurations", "configurations.csv"]
    tables += ["--comparisons", "comparisons.csv"]
    assert compare_runs.main([*compared, *tables, "--champion", "champion.json"]) == 0
    inputs = [
        "--chapters", *of_all("chapter.md"), "--facts", *of_all("chapter.json"),
        "--predictions", *of_all("predictions.csv"), "--examinations", *of_all("examination.json"),
        "--leaderboard", "leaderboard.csv",
        "--next-chapter", f"{study}/next-chapter.md",
    ]  # fmt: skip
    for name in ("a", "b"):
        assert main([*inputs, "--html", f"{tmp_path}/{name}.html"]) == 0
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert html == (tmp_path / "b.html").read_text(encoding="utf-8")
    assert html.count("They walked on; and the wind rose.") == 4
    assert "Written by lstm-384.s1" in html
