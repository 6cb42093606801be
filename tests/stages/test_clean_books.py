import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from nextchapter.corpus.books import read_chapters
from nextchapter.stages.clean_books import main
from nextchapter.store.files import read_json

TEXT = b"[A Book by B. Writer 1811]\r\n\r\nCHAPTER I\r\n\r\nIt was\r\nnight.\r\n\r\nCHAPTER II\r\n\r\nIt was day.\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clean(*sources: str | Path, out: str = "out", on_unreadable: str = "skip") -> int:
    files = [{"name": f"a/{Path(source).name.split('.')[0]}", "file": f"a/{Path(source).name}"} for source in sources]
    spec = {"files": files, "join_wrapped_lines": True, "max_book_mb": 1, "on_unreadable": on_unreadable}
    arguments = [
        "--source",
        *map(str, sources),
        "--chapters",
        f"{out}.parquet",
        "--matter",
        f"{out}.matter.parquet",
        "--quality",
        f"{out}.json",
    ]
    return main(["--spec", json.dumps(spec), *arguments])


def books_of(out: str = "out") -> list[dict[str, Any]]:
    return [book for file in read_json(f"{out}.json")["files"] for book in file["books"]]


def test_a_book_becomes_chapters_and_an_account(folder: Path) -> None:
    (folder / "книга.txt").write_bytes(TEXT)
    assert clean("книга.txt") == 0
    chapters = read_chapters(folder / "out.parquet")
    assert [(c.book, c.author, c.chapter, c.heading) for c in chapters] == [
        ("a/книга", "B. Writer", 1, "CHAPTER I"),
        ("a/книга", "B. Writer", 2, "CHAPTER II"),
    ]
    (quality,) = books_of()
    assert (quality["file"], quality["chapters"], quality["problem"]) == ("a/книга.txt", 2, "")
    assert (quality["bytes"], quality["words"], quality["row_groups"]) == (len(TEXT), 6, [0, 1])


def test_a_second_call_gives_the_same_bytes_wherever_the_file_lies(folder: Path) -> None:
    for place in ("x", "y"):
        (folder / place).mkdir()
        (folder / place / "b.txt").write_bytes(TEXT)
        assert clean(folder / place / "b.txt", out=place) == 0
    for suffix in ("parquet", "json"):
        assert (folder / f"x.{suffix}").read_bytes() == (folder / f"y.{suffix}").read_bytes()


def test_books_of_all_kinds_come_from_one_shard(folder: Path) -> None:
    (folder / "b.txt.gz").write_bytes(gzip.compress(TEXT))
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("d.txt", TEXT)
        archive.writestr("e/f.html", "<html><h1>CHAPTER 1</h1><p>One.</p><h1>CHAPTER 2</h1><p>Two.</p></html>")
    rows = [{"title": "G", "chapter": f"Chapter {n}", "text": f"Text {n}."} for n in (1, 2, 3)]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert clean("b.txt.gz", "c.zip", "t.jsonl") == 0
    assert [(book["book"], book["chapters"]) for book in books_of()] == [
        ("a/b", 2), ("a/c/d", 2), ("a/c/e/f", 2), ("a/t/G", 3),
    ]  # fmt: skip
    last = read_chapters(folder / "out.parquet")[-1]
    assert (last.title, last.heading, last.text) == ("G", "Chapter 3", "Text 3.")


def test_a_row_as_long_as_a_book_is_cut_into_its_chapters(folder: Path) -> None:
    novel = "".join(f"CHAPTER {n}\n\n{'It was night. ' * 900}\n\n" for n in (1, 2, 3))
    (folder / "t.jsonl").write_text(json.dumps({"title": "N", "text": novel}) + "\n" + json.dumps({"text": "Short."}))
    assert clean("t.jsonl") == 0
    assert [(book["title"], book["chapters"]) for book in books_of()] == [("N", 3), ("T", 1)]


def test_rows_of_one_title_are_its_chapters_however_long(folder: Path) -> None:
    rows = [{"title": "T", "text": f"{word} night. " * count} for word, count in (("Dark", 4000), ("Cold", 300))]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert clean("t.jsonl") == 0
    chapters = read_chapters(folder / "out.parquet")
    assert [(chapter.book, chapter.chapter, chapter.text[:4]) for chapter in chapters] == [
        ("a/t/T", 1, "Dark"), ("a/t/T", 2, "Cold"),
    ]  # fmt: skip


def test_a_table_without_text_is_named(folder: Path) -> None:
    (folder / "t.csv").write_text("title,text\nT,\u00ad\nT,\u00ad\n", encoding="utf-8")
    assert clean("t.csv") == 0
    (record,) = read_json("out.json")["files"]
    assert [refused["reason"] for refused in record["refused"]] == ["there is no text in the rows of T"]


def test_a_table_too_large_for_the_memory_is_one_book_in_parts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextchapter.corpus.reading.PART_CHARACTERS", 100)
    (folder / "t.jsonl").write_text("\n".join(json.dumps({"text": f"Story {n} {'x' * 40}."}) for n in range(10)))
    assert clean("t.jsonl") == 0
    (book,) = books_of()
    chapters = read_chapters(folder / "out.parquet")
    assert [chapter.chapter for chapter in chapters] == list(range(1, 11))
    assert (book["chapters"], book["characters"]) == (10, sum(len(chapter.text) for chapter in chapters))
    assert book["row_groups"][1] > 1


def test_an_empty_book_leaves_the_others_to_be_read(folder: Path) -> None:
    (folder / "b.txt").write_bytes(b"")
    (folder / "c.txt").write_bytes(b"*** START OF THE PROJECT GUTENBERG EBOOK C ***\n\nTHE END\n")
    (folder / "d.txt").write_bytes(TEXT)
    assert clean("b.txt", "c.txt", "d.txt") == 0
    empty, without_prose, full = read_json("out.json")["files"]
    assert empty["refused"] == [{"file": "a/b.txt", "reason": "it is empty"}]
    assert without_prose["books"][0]["problem"] == "the file holds no prose"
    assert full["books"][0]["chapters"] == 2


def test_what_can_not_be_read_is_named_and_the_others_are_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.txt").write_bytes(bytes(range(32)) * 100)
    (folder / "b.txt").write_bytes(TEXT)
    assert clean("bad.txt", "gone.txt", "b.txt") == 0
    refused = [refused["file"] for file in read_json("out.json")["files"] for refused in file["refused"]]
    assert refused == ["a/bad.txt", "a/gone.txt"]
    told = capsys.readouterr().err
    assert "can't read a/bad.txt: this is a binary file" in told
    assert "can't read a/gone.txt: No such file" in told
    assert [book["book"] for book in books_of()] == ["a/b"]


def test_a_study_may_refuse_a_shelf_with_an_unreadable_book(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.txt").write_bytes(bytes(range(32)) * 100)
    assert clean("bad.txt", on_unreadable="fail") == 1
    assert "can't read a/bad.txt: this is a binary file" in capsys.readouterr().err
    assert not (folder / "out.parquet").exists()


def test_an_encoding_that_is_a_guess_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "b.txt").write_bytes("Chapitre I\n\nL'été vint.".encode("latin-1"))
    assert clean("b.txt") == 0
    assert "is read as cp1252" in capsys.readouterr().err
