from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from nextchapter.stages import train_model
from nextchapter.stages.describe_states import PASSAGE_TOKENS, main
from nextchapter.tokens.registry import load_tokenizer
from nextchapter.tokens.stream import TokenStream

FILES = {
    "states": "states.csv", "tokens": "state-tokens.csv", "labels": "state-labels.csv", "states-svg": "states.svg",
    "states-png": "states.png", "posteriors-svg": "posteriors.svg", "posteriors-png": "posteriors.png",
}  # fmt: skip
MODELS: list[dict[str, Any]] = [
    {"kind": "hmm", "states": 6},
    {"kind": "hmm-cloned", "states": 400},
    {"kind": "hmm-neural", "classes": 4, "states_per_class": 3, "rank": 4, "embedding": 8},
]


def _describe(shelf: Path, run: Path, output: Path) -> int:
    arguments = ["--spec", '{"run": "hmm.s1"}', "--model", f"{run}/model.safetensors"]
    arguments += ["--facts", f"{shelf}/tokens.json", "--tokenizer", f"{shelf}/tokenizer.model"]
    arguments += ["--test-tokens", f"{shelf}/test.bin"]
    return main([*arguments, *(part for name, file in FILES.items() for part in (f"--{name}", f"{output}/{file}"))])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["kind"])
def test_the_states_of_a_run_are_told_twice_alike(
    model: dict[str, Any], small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    brief = {"max_steps": 3, "valid_every_steps": 3}
    assert train_model.main(arguments.train_model(small_shelf, tmp_path, model=model, training=brief)) == 0
    for name in ("a", "b"):
        assert _describe(small_shelf, tmp_path, tmp_path / name) == 0
    for file in FILES.values():
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    labels = pd.read_csv(tmp_path / "a/state-labels.csv", keep_default_na=False)
    chapter = TokenStream.open(small_shelf / "test.bin", "uint16").chapter(0)[:PASSAGE_TOKENS]
    assert "".join(labels["token"]) == load_tokenizer(small_shelf / "tokenizer.model").decode(chapter.tolist())
    assert labels["posterior"].between(0, 1.0001).all()
    states = pd.read_csv(tmp_path / "a/states.csv", keep_default_na=False)
    assert states["share"].is_monotonic_decreasing
    assert states["name"].str.len().min() > 0


def test_a_run_without_hidden_states_is_refused(
    trained: Path, small_shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _describe(small_shelf, trained, trained) == 1
    assert "has no hidden states; it must be a hidden Markov model" in capsys.readouterr().err
