import json
import lzma
from pathlib import Path

import pandas as pd
import pytest

from nextchapter.corpus.books import SCHEMA
from nextchapter.stages.read_splits import main
from nextchapter.store.files import read_json
from nextchapter.tokens import texts

TEXTS = {"train": " \n = A = \n \n a b <unk> . \n", "valid": "c d\ne\n", "test": "f\n"}
OUTPUTS = ("train.parquet", "valid.parquet", "test.parquet", "matter.parquet", "split.csv", "account.json")


def arguments(folder: Path, output: Path) -> list[str]:
    files = [{"key": split, "name": split, "file": f"{split}.tokens", "sha256": None} for split in TEXTS]
    options = ("train", "valid", "test", "matter", "manifest", "account")
    return [
        "--spec", json.dumps({"shelf": "a set", "files": files, "shares": None}),
        "--files", *(f"{folder}/{split}.tokens" for split in TEXTS),
        *(part for option, file in zip(options, OUTPUTS, strict=True) for part in (f"--{option}", str(output / file))),
    ]  # fmt: skip


@pytest.fixture
def benchmark_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for split, text in TEXTS.items():
        (tmp_path / f"{split}.tokens").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_splits_are_the_files_line_by_line_and_written_twice_alike(benchmark_set: Path) -> None:
    for folder in ("a", "b"):
        assert main(arguments(benchmark_set, benchmark_set / folder)) == 0
    for file in OUTPUTS:
        assert (benchmark_set / "a" / file).read_bytes() == (benchmark_set / "b" / file).read_bytes()
    train = pd.read_parquet(benchmark_set / "a/train.parquet")
    assert train.columns.tolist() == SCHEMA.names
    assert train["text"].tolist() == [" \n = A = \n \n a b <unk> . "]
    manifest = pd.read_csv(benchmark_set / "a/split.csv")
    assert manifest["split"].tolist() == ["train", "valid", "test"]
    totals = read_json(benchmark_set / "a/account.json")["totals"]
    assert totals["splits"]["train"]["words"] == 3 + 4 + 4  # marks and words, and four lines
    assert totals["splits"]["valid"]["words"] == 3 + 2
    assert len(pd.read_parquet(benchmark_set / "a/matter.parquet")) == 0


def test_a_long_file_is_cut_behind_lines_and_counts_the_same(
    benchmark_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "PART_CHARACTERS", 8)
    assert main(arguments(benchmark_set, benchmark_set / "a")) == 0
    train = pd.read_parquet(benchmark_set / "a/train.parquet")
    assert train["text"].tolist() == [" \n = A = ", " \n a b <unk> . "]
    assert train["chapter"].tolist() == [1, 2]
    assert read_json(benchmark_set / "a/account.json")["totals"]["splits"]["train"]["words"] == 11


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "holds no token"), (b"\xff\xfe", "can't read train.tokens")],
    ids=["empty", "no UTF-8"],
)
def test_a_file_without_text_is_refused(
    content: bytes, reason: str, benchmark_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (benchmark_set / "train.tokens").write_bytes(content)
    assert main(arguments(benchmark_set, benchmark_set / "a")) == 1
    assert reason in capsys.readouterr().err


def test_what_is_compressed_is_read_and_what_only_says_so_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"a b\nc\n"))
    assert list(texts.read_pretokenized(tmp_path / "a.xz")) == ["a b\nc"]
    for suffix in ("xz", "gz", "bz2"):
        (tmp_path / f"b.{suffix}").write_bytes(b"plain text")
        with pytest.raises(ValueError, match=rf"can't read b\.{suffix}"):
            list(texts.read_pretokenized(tmp_path / f"b.{suffix}"))
