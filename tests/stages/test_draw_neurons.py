from pathlib import Path
from types import SimpleNamespace

import pytest

from nextchapter.stages import train_model
from nextchapter.stages.draw_neurons import main

FILES = {
    "neurons-svg": "neurons.svg", "neurons-png": "neurons.png", "path-svg": "state-path.svg",
    "path-png": "state-path.png",
}  # fmt: skip


def _draw(shelf: Path, run: Path, output: Path) -> int:
    arguments = ["--spec", '{"run": "lstm.s1"}', "--model", f"{run}/model.safetensors"]
    arguments += ["--facts", f"{shelf}/tokens.json", "--tokenizer", f"{shelf}/tokenizer.model"]
    arguments += ["--test-tokens", f"{shelf}/test.bin"]
    return main([*arguments, *(part for name, file in FILES.items() for part in (f"--{name}", f"{output}/{file}"))])


def test_the_units_of_a_run_are_drawn_twice_alike(small_shelf: Path, trained: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert _draw(small_shelf, trained, tmp_path / name) == 0
    for file in FILES.values():
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_model_without_units_is_refused(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert train_model.main(arguments.train_model(small_shelf, tmp_path, model={"kind": "unigram"})) == 0
    assert _draw(small_shelf, tmp_path, tmp_path) == 1
    assert "run lstm.s1 has no hidden units; it must be a recurrent network" in capsys.readouterr().err
