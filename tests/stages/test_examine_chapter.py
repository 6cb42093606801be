import json
from pathlib import Path

import pytest

from nextchapter.corpus.books import Chapter, write_chapters
from nextchapter.stages.examine_chapter import main
from nextchapter.store.files import read_json

SENTENCES = [
    "The cat sat on the mat and was happy.",
    "She ran to her dog in the fog.",
    "It was not so, he said to him.",
]


def chapter(number: int, author: str = "Jane Austen", language: str = "en", book: str = "austen/emma") -> Chapter:
    text = "\n\n".join(" ".join(SENTENCES[(number * k + place) % 3] for place in range(8)) for k in range(4))
    return Chapter(book, author, "Emma", "", number, f"Chapter {number}", text, language=language)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    novel = "A ship at sea had salt and rope, and of all men none was worse than the captain of that ship."
    copied = chapter(9).text[:300]
    write_chapters(Path("train.parquet"), [chapter(n) for n in range(1, 5)] + [Chapter("x", "", "X", "", 1, "", novel)])
    write_chapters(Path("valid.parquet"), [chapter(5)])
    write_chapters(Path("test.parquet"), [chapter(6)])
    write_chapters(Path("others.parquet"), [Chapter("m", "Herman Melville", "M", "", 1, "", novel * 9, language="en")])
    Path("chapter.md").write_text(f"# Chapter 7\n\n{copied}\n\nAnd a ship at sea had salt and rope.\n")
    Path("chapter.json").write_text(json.dumps({"after_book": "austen/emma"}))
    return tmp_path


def examine(output: str = "out", others: tuple[str, ...] = ("others.parquet",), **spec: int) -> dict[str, object]:
    files = [f"--{split}={split}.parquet" for split in ("train", "valid", "test")]
    written = ["--chapter=chapter.md", "--facts=chapter.json", f"--curve={output}/type-token.csv"]
    argv = ["--spec", json.dumps({"run": "lstm.s1", "passages": 4, **spec}), *files, *written, "--others", *others]
    assert main([*argv, f"--examination={output}/examination.json"]) == 0
    return read_json(f"{output}/examination.json")


def test_a_chapter_is_examined_twice_alike(shelf: Path) -> None:
    found = examine("a")
    examine("b")
    for name in ("examination.json", "type-token.csv"):
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes()
    assert (found["run"], found["author"], found["language"]) == ("lstm.s1", "Jane Austen", "en")
    assert set(found["deltas"]) == {"Jane Austen", "the shelf", "Herman Melville"}
    assert found["copied_from"]["book"] == "austen/emma"
    assert found["ceiling"]["copied_8gram_share"] == 1.0
    assert Path("a/type-token.csv").read_text().startswith("words,chapter,low,median,high\n10,")


def test_more_copied_words_than_allowed_flag_the_chapter(shelf: Path) -> None:
    longest = int(examine()["measures"]["longest_copied_words"]["chapter"])
    assert longest > 20
    assert examine(max_copied_words=longest)["flagged"] is False
    assert examine(max_copied_words=longest - 1)["flagged"] is True


def test_authors_of_another_language_are_left_out_and_that_is_said(shelf: Path) -> None:
    write_chapters(Path("fr.parquet"), [chapter(1, "Gustave Flaubert", "fr")])
    found = examine(others=("fr.parquet",))
    assert set(found["deltas"]) == {"Jane Austen", "the shelf"}
    assert found["other_authors_left_out"] == "the others in the package write in fr, the shelf in en"
    assert "no package" in str(examine(others=())["other_authors_left_out"])


def test_an_author_on_the_shelf_is_no_other(shelf: Path) -> None:
    write_chapters(Path("more.parquet"), [chapter(8, "JANE  AUSTEN")])
    assert set(examine(others=("more.parquet",))["deltas"]) == {"Jane Austen", "the shelf"}


def test_chapters_without_a_word_are_an_error_that_says_so(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("chapter.md").write_text("# 7\n\n* * *\n")
    with pytest.raises(AssertionError):
        examine()
    assert "there is no word to compare" in capsys.readouterr().err
