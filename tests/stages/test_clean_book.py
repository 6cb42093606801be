import json
from pathlib import Path

import pytest

from nextchapter.corpus.books import read_chapters
from nextchapter.stages.clean_book import main
from nextchapter.store.files import read_json

TEXT = b"[A Book by B. Writer 1811]\r\n\r\nCHAPTER I\r\n\r\nIt was\r\nnight.\r\n\r\nCHAPTER II\r\n\r\nIt was day.\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clean(source: Path, out: str = "out") -> int:
    spec = json.dumps({"book": "a/книга", "file": "b.txt", "join_wrapped_lines": True})
    return main(["--spec", spec, "--source", str(source), "--chapters", f"{out}.parquet", "--quality", f"{out}.json"])


def test_a_book_becomes_chapters_and_an_account(folder: Path) -> None:
    (folder / "b.txt").write_bytes(TEXT)
    assert clean(folder / "b.txt") == 0
    chapters = read_chapters(folder / "out.parquet")
    assert [(c.book, c.author, c.chapter, c.heading) for c in chapters] == [
        ("a/книга", "B. Writer", 1, "CHAPTER I"),
        ("a/книга", "B. Writer", 2, "CHAPTER II"),
    ]
    quality = read_json(folder / "out.json")
    assert (quality["file"], quality["chapters"], quality["problem"]) == ("b.txt", 2, "")


def test_a_second_call_gives_the_same_bytes_wherever_the_file_lies(folder: Path) -> None:
    for place in ("x", "y"):
        (folder / place).mkdir()
        (folder / place / "b.txt").write_bytes(TEXT)
        assert clean(folder / place / "b.txt", place) == 0
    for suffix in ("parquet", "json"):
        assert (folder / f"x.{suffix}").read_bytes() == (folder / f"y.{suffix}").read_bytes()


def test_an_empty_book_leaves_the_others_to_be_read(folder: Path) -> None:
    (folder / "b.txt").write_bytes(b" \n")
    assert clean(folder / "b.txt") == 0
    assert read_chapters(folder / "out.parquet") == []
    assert read_json(folder / "out.json")["problem"] == "the file is empty"


def test_a_binary_file_is_refused_by_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "b.txt").write_bytes(b"%PDF-1.7 \x00\x01")
    assert clean(folder / "b.txt") == 1
    assert f"can't read {folder / 'b.txt'}: this is a PDF document" in capsys.readouterr().err
    assert not (folder / "out.parquet").exists()


def test_a_file_that_is_gone_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean(folder / "gone.txt") == 1
    assert "gone.txt: No such file" in capsys.readouterr().err


def test_an_encoding_that_is_a_guess_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "b.txt").write_bytes("Chapitre I\n\nL'été vint.".encode("latin-1"))
    assert clean(folder / "b.txt") == 0
    assert "is read as cp1252" in capsys.readouterr().err
