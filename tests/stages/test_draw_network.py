from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.stages.draw_network import main


def test_a_network_is_drawn_twice_alike(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = results_tree() / "runs/lstm-384.s1"
    inputs = ["--provenance", f"{folder}/run.json", "--predictions", f"{folder}/predictions.csv"]
    for name in ("a", "b"):
        assert main([*inputs, "--svg", f"{tmp_path}/{name}.svg", "--png", f"{tmp_path}/{name}.png"]) == 0
    for kind in ("svg", "png"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
