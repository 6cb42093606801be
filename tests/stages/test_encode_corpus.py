from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from nextchapter.stages.encode_corpus import main
from nextchapter.store.files import read_json
from nextchapter.tokens.stream import TokenStream
from nextchapter.tokens.unigram import UnigramTokenizer


def test_every_chapter_comes_back_from_the_token_files(small_shelf: Path) -> None:
    facts = read_json(small_shelf / "tokens.json")
    tokenizer = UnigramTokenizer.load(small_shelf / "tokenizer.model")
    for split in ("train", "valid", "test"):
        texts = pd.read_parquet(small_shelf / f"{split}.parquet")["text"].tolist()
        stream = TokenStream.open(small_shelf / f"{split}.bin", facts["dtype"])
        assert [tokenizer.decode(stream.chapter(index)) for index in range(stream.chapters)] == texts
        assert all(stream.chapter(index)[-1] == facts["end_of_chapter"] for index in range(stream.chapters))
        assert facts["splits"][split]["characters"] == sum(map(len, texts))
        assert facts["splits"][split]["words"] == sum(len(text.split()) for text in texts)
        assert facts["splits"][split]["tokens"] == len(stream.tokens)


def test_a_second_call_writes_the_same_bytes(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments.encode_corpus(small_shelf, tmp_path)) == 0
    for file in ("tokens.json", "train.bin", "train.offsets.bin", "test.bin"):
        assert (tmp_path / file).read_bytes() == (small_shelf / file).read_bytes()
