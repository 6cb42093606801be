from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from nextchapter.stages.train_tokenizer import main


def test_a_second_call_writes_the_same_bytes(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments.train_tokenizer(small_shelf, tmp_path)) == 0
    assert (tmp_path / "tokenizer.model").read_bytes() == (small_shelf / "tokenizer.model").read_bytes()


def test_a_shelf_too_small_for_the_vocabulary_is_told_in_one_message(
    arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"text": ["A short tale."]}).to_parquet(tmp_path / "train.parquet")
    assert main(arguments.train_tokenizer(tmp_path, tmp_path)) == 1
    told = capsys.readouterr().err
    assert "vocabulary_size: found 290; the training text has pieces for at most" in told
    assert "Traceback" not in told
    assert not (tmp_path / "tokenizer.model").exists()
