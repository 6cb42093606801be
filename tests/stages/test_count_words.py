from pathlib import Path

import pandas as pd
import pytest

from nextchapter.corpus.words import WORD
from nextchapter.stages.count_words import main


def test_every_word_of_the_test_chapters_is_a_row_twice_alike(
    small_shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inputs = ["--train", f"{small_shelf}/train.parquet", "--test", f"{small_shelf}/test.parquet"]
    for name in ("a", "b"):
        assert main([*inputs, "--words", f"{name}.parquet"]) == 0
    assert Path("a.parquet").read_bytes() == Path("b.parquet").read_bytes()
    texts = pd.read_parquet(small_shelf / "test.parquet")["text"]
    train = " ".join(pd.read_parquet(small_shelf / "train.parquet")["text"])
    table = pd.read_parquet("a.parquet")
    words = [texts[row.chapter][row.start : row.end].lstrip() for row in table.itertuples()]
    assert words == [word for text in texts for word in WORD.findall(text)]
    assert table["train_count"].tolist() == [WORD.findall(train).count(word) for word in words]
