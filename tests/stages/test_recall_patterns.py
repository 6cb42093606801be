import json
from pathlib import Path

import pandas as pd

from nextchapter.spec.hopfield import HopfieldSpec
from nextchapter.stages.recall_patterns import main

SPEC = HopfieldSpec(neurons=60, repeats=2, passages=16, passage_characters=20).json_text()


def _run(train: Path, output: Path) -> dict[str, bytes]:
    outputs = {name: output / f"hopfield.{name}" for name in ("svg", "png", "html")} | {"record": output / "h.json"}
    files = [part for name, path in outputs.items() for part in (f"--{name}", str(path))]
    assert main(["--spec", SPEC, "--train", str(train), *files]) == 0
    return {name: path.read_bytes() for name, path in outputs.items()}


def test_what_is_recalled_is_written_twice_with_the_same_bytes(small_shelf: Path, tmp_path: Path) -> None:
    made = _run(small_shelf / "train.parquet", tmp_path / "a")
    assert made == _run(small_shelf / "train.parquet", tmp_path / "b")
    record = json.loads(made["record"])
    assert record["passages"]["counts"][-1] == 16
    assert record["passages"]["samples"][0]["passages"][0][0] in made["html"].decode()


def test_a_shelf_of_too_little_text_has_its_random_patterns(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["Hi.", "Ho, ho."]}).to_parquet(tmp_path / "train.parquet")
    made = _run(tmp_path / "train.parquet", tmp_path)
    assert json.loads(made["record"])["passages"] is None
    assert b"too short for passages" in made["html"]
