import bz2
import gzip
import hashlib
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
        "--spec", json.dumps({"files": files, "shares": None}),
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


def spec_with(source: list[str], digests: dict[str, str]) -> list[str]:
    """Return the arguments with the sha256 of some files to be checked."""
    spec = json.loads(source[1])
    for file in spec["files"]:
        file["sha256"] = digests[file["key"]]
    return ["--spec", json.dumps(spec), *source[2:]]


def test_the_digest_is_that_of_the_plain_text_however_it_lies(benchmark_set: Path) -> None:
    digests = {split: hashlib.sha256(text.encode()).hexdigest() for split, text in TEXTS.items()}
    plain = spec_with(arguments(benchmark_set, benchmark_set / "a"), digests)
    assert main(plain) == 0
    packers = zip(TEXTS.items(), ((".xz", lzma), (".gz", gzip), (".bz2", bz2)), strict=True)
    for (split, text), (suffix, packer) in packers:
        (benchmark_set / f"{split}.tokens{suffix}").write_bytes(packer.compress(text.encode()))
    packed = spec_with(arguments(benchmark_set, benchmark_set / "b"), digests)
    for (split, _), suffix in zip(TEXTS.items(), (".xz", ".gz", ".bz2"), strict=True):
        packed[packed.index(f"{benchmark_set}/{split}.tokens")] += suffix
    assert main(packed) == 0
    for file in OUTPUTS:
        assert (benchmark_set / "a" / file).read_bytes() == (benchmark_set / "b" / file).read_bytes()


def test_a_file_with_another_text_is_named_with_what_was_found_and_expected(
    benchmark_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = {split: hashlib.sha256(text.encode()).hexdigest() for split, text in TEXTS.items()}
    (benchmark_set / "valid.tokens").write_text("c d\ne", encoding="utf-8")
    assert main(spec_with(arguments(benchmark_set, benchmark_set / "a"), digests)) == 1
    told = capsys.readouterr().err
    assert "corpus.source.valid: " in told
    assert f"is {hashlib.sha256(b'c d' + bytes([10]) + b'e').hexdigest()}; expected {digests['valid']}" in told
    assert not (benchmark_set / "a/train.parquet").exists()


def divided(folder: Path, output: str, text: str, **shares: float) -> list[str]:
    """Write a text and return the arguments by which it is divided."""
    (folder / "input.txt.gz").write_bytes(gzip.compress(text.encode()))
    file = {"key": "file", "name": "input", "file": "input.txt", "sha256": hashlib.sha256(text.encode()).hexdigest()}
    spec = {"files": [file], "shares": {"valid_share": 0.1, "test_share": 0.0, **shares}}
    outputs = arguments(folder, folder / output)[6:]  # behind the specification and the three files
    return ["--spec", json.dumps(spec), "--files", f"{folder}/input.txt.gz", *outputs]


def split_texts(folder: Path) -> dict[str, str]:
    return {split: "".join(pd.read_parquet(folder / f"{split}.parquet")["text"]) for split in TEXTS}


def test_a_text_is_divided_by_its_characters_as_it_is(benchmark_set: Path) -> None:
    text = "Ünîcödé\r\n\n of 25 letters…"
    assert main(divided(benchmark_set, "a", text, valid_share=0.2, test_share=0.1)) == 0
    count = len(text)
    trained, chosen = int(0.7 * count), int(0.9 * count)
    assert split_texts(benchmark_set / "a") == {
        "train": text[:trained], "valid": text[trained:chosen], "test": text[chosen:]
    }  # fmt: skip
    manifest = pd.read_csv(benchmark_set / "a/split.csv")
    assert list(zip(manifest["chapter"], manifest["split"], strict=True)) == [(1, "train"), (2, "valid"), (3, "test")]
    assert read_json(benchmark_set / "a/account.json")["books"][0]["characters"] == count


def test_without_a_share_for_it_the_test_is_the_validation_and_that_is_told(
    benchmark_set: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "PART_CHARACTERS", 400)
    text = " ".join(map(str, range(306)))[:1113]
    assert main(divided(benchmark_set, "a", text)) == 0
    assert split_texts(benchmark_set / "a") == {"train": text[:1001], "valid": text[1001:], "test": text[1001:]}
    assert pd.read_parquet(benchmark_set / "a/train.parquet")["text"].str.len().tolist() == [400, 400, 201]
    assert "the validation text is scored as the test as well" in capsys.readouterr().err
    assert read_json(benchmark_set / "a/account.json")["books"][0]["characters"] == len(text)


def test_a_text_too_short_to_be_divided_is_refused(benchmark_set: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(divided(benchmark_set, "a", "")) == 1
    assert "input.txt holds no token" in capsys.readouterr().err
