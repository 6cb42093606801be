from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nextchapter.stages.plot_costs import main


def test_figure_and_table_are_drawn_twice_alike(
    reported_study: Callable[..., tuple[Path, dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study, _ = reported_study()
    inputs = ["--leaderboard", f"{study}/leaderboard.csv", "--provenance", *map(str, study.glob("runs/*/run.json"))]
    for name in ("a", "b"):
        outputs = [f"--{kind}={tmp_path}/{name}.{kind}" for kind in ("svg", "png", "csv")]
        assert main([*inputs, *outputs]) == 0
    for kind in ("svg", "png", "csv"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert set(pd.read_csv(tmp_path / "a.csv")["run"]) == {"elman-384.s1", "gru-384.s1", "lstm-384.s1"}
