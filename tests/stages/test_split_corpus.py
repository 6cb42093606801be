import csv
import json
from pathlib import Path
from typing import Any

import pytest

from nextchapter.corpus.books import read_chapters
from nextchapter.stages import clean_books, find_duplicates
from nextchapter.stages.split_corpus import main
from nextchapter.store.files import read_json

SPLITS = ("train", "valid", "test")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def add_book(name: str, chapters: int, word: str = "", text: str = "") -> str:
    """Clean a book with so many chapters; return its name."""
    text = text or "".join(
        f"CHAPTER {n}\n\n{f'It was {word or name} {n}. ' * 30}\n\n\n" for n in range(1, chapters + 1)
    )
    Path(f"{name}.txt").write_text(text)
    files = [{"name": name, "file": f"{name}.txt"}]
    spec = {"files": files, "join_wrapped_lines": True, "max_book_mb": 1, "on_unreadable": "skip"}
    arguments = [
        "--source",
        f"{name}.txt",
        "--chapters",
        f"{name}.parquet",
        "--matter",
        f"{name}.matter",
        "--quality",
        f"{name}.json",
    ]
    assert clean_books.main(["--spec", json.dumps(spec), *arguments]) == 0
    return name


def split(
    *books: str,
    out: str = "out",
    seed: int = 1,
    languages: tuple[str, ...] = (),
    canaries: dict[str, Any] | None = None,
) -> int:
    tables = ["--chapters", *(f"{book}.parquet" for book in books), "--books", *(f"{book}.json" for book in books)]
    sections = ["--matter-tables", *(f"{book}.matter" for book in books)]
    twins = f"{out}/duplicates.json"
    comparing = json.dumps({"similarity": 0.8, "in_name_order": False, "languages": languages})
    assert find_duplicates.main(["--spec", comparing, *tables, "--duplicates", twins]) == 0
    spec = {
        "split": {"valid_share": 0.1, "test_share": 0.1, "seed": seed}, "in_name_order": False,
        "languages": languages, **({} if canaries is None else {"canaries": canaries}),
    }  # fmt: skip
    files = [f"--{name}={out}/{name}.parquet" for name in (*SPLITS, "matter")]
    files += [f"--manifest={out}/split.csv", f"--account={out}/account.json", f"--duplicates={twins}"]
    return main(["--spec", json.dumps(spec), "--shelf=the shelf", *tables, *sections, *files])


def test_each_chapter_goes_to_one_split_in_the_order_of_the_shelf(folder: Path) -> None:
    assert split(add_book("b", 20), add_book("a", 30)) == 0
    parts = {name: [(c.book, c.chapter) for c in read_chapters(Path(f"out/{name}.parquet"))] for name in SPLITS}
    order = [*(("b", n) for n in range(1, 21)), *(("a", n) for n in range(1, 31))]
    assert sorted((key for part in parts.values() for key in part), key=order.index) == order
    assert all(part == sorted(part, key=order.index) for part in parts.values())
    with Path("out/split.csv").open() as file:
        manifest = [(row["book"], int(row["chapter"]), row["split"]) for row in csv.DictReader(file)]
    assert [(book, chapter) for book, chapter, _ in manifest] == order
    assert all((book, chapter) in parts[name] for book, chapter, name in manifest)
    totals = read_json("out/account.json")["totals"]
    assert {name: totals["splits"][name]["chapters"] for name in SPLITS} == {n: len(p) for n, p in parts.items()}
    assert totals["chapters"] == 50


def test_a_second_call_gives_the_same_bytes(folder: Path) -> None:
    books = [add_book("a", 12), add_book("b", 3)]
    assert split(*books, out="x") == split(*books, out="y") == 0
    x, y = ({p.name: p.read_bytes() for p in Path(out).iterdir() if p.is_file()} for out in "xy")
    assert x == y


@pytest.mark.parametrize("sizes", [(1, 1, 1), (5,), (3,), (2, 1)])
def test_small_shelves_fill_all_splits(folder: Path, sizes: tuple[int, ...]) -> None:
    assert split(*(add_book(f"b{place}", size) for place, size in enumerate(sizes))) == 0
    assert min(len(read_chapters(Path(f"out/{name}.parquet"))) for name in SPLITS) >= 1


def test_a_shelf_too_small_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert split(add_book("a", 2)) == 1
    assert "the shelf: the shelf is too small to split: found 2 chapters; at least 3" in capsys.readouterr().err
    assert not Path("out/train.parquet").exists()


def test_a_chapter_that_comes_twice_is_kept_once_and_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert split(add_book("a", 4), add_book("b", 3, word="a")) == 0
    quality = read_json("out/account.json")
    assert quality["totals"]["chapters"] == 4
    pairs = [(twin, twin["same_as"]) for twin in quality["duplicates"]]
    assert [(twin["book"], original["book"]) for twin, original in pairs] == [("b", "a")] * 3
    assert [(twin["chapter"], original["chapter"]) for twin, original in pairs] == [(1, 1), (2, 2), (3, 3)]
    assert "copies left out: 3, first chapter 1 of b, which is chapter 1 of a" in capsys.readouterr().err


def test_a_book_without_prose_is_told_and_the_others_are_used(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert split(add_book("a", 5), add_book("none", 0, text="THE END")) == 0
    assert "none.txt has no chapter: the file holds no prose" in capsys.readouterr().err
    assert [book["chapters"] for book in read_json("out/account.json")["books"]] == [5, 0]


def test_what_was_not_read_is_named(folder: Path) -> None:
    assert split(add_book("a", 5), add_book("empty", 0)) == 0
    quality = read_json("out/account.json")
    assert [refused["file"] for refused in quality["refused"]] == ["empty.txt"]
    assert quality["refused_count"] == 1


def test_a_study_may_keep_the_books_of_one_language(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    english, german = (
        "".join(f"CHAPTER {n}\n\n{sentence.format(n) * (20 + n)}\n\n" for n in range(1, 6))
        for sentence in (
            "The old man walked {0} miles down the road, {0} hours in the rain, and thought of {0} years. ",
            "Der alte Mann ging {0} Meilen die Straße hinunter, {0} Stunden im Regen, und dachte an {0} Jahre. ",
        )
    )
    books = [add_book("english", 5, text=english), add_book("german", 5, text=german)]
    assert split(*books, languages=("de",)) == 0
    quality = read_json("out/account.json")
    assert [book["language"] for book in quality["books"]] == ["en", "de"]
    assert quality["left_out_languages"] == [{"book": "english", "language": "en"}]
    assert {chapter.book for name in SPLITS for chapter in read_chapters(Path(f"out/{name}.parquet"))} == {"german"}
    assert split(*books, languages=("fi",)) == 1
    assert "corpus.languages leaves out all 2 books; their languages: de, en" in capsys.readouterr().err


def test_a_copy_in_a_book_of_another_language_takes_no_text_away(folder: Path) -> None:
    def chapter(number: int, words: str) -> str:
        return f"CHAPTER {number}\n\n" + " ".join(words.format(n * number) for n in range(1, 90)) + "\n\n"

    german, english = "Der alte Mann ging {0} Meilen und dachte nach.", "The old man walked {0} miles and thought."
    anthology = "".join(chapter(n, german) for n in range(1, 7)) + chapter(7, english)
    novel = "".join(chapter(n, english) for n in range(7, 12))
    assert split(add_book("a", 7, text=anthology), add_book("b", 5, text=novel), languages=("en",)) == 0
    quality = read_json("out/account.json")
    assert quality["totals"]["chapters"] == 5
    assert quality["duplicates"] == []


def test_the_preface_of_a_copy_is_left_out_too(folder: Path) -> None:
    preface = "PREFACE\n\n" + "I wrote this book in a cold winter, and ask the reader to be kind to it. " * 8
    words = [f"w{(n * n) % 9973}" for n in range(4000)]
    chapters = "".join(f"\n\nCHAPTER {n}\n\n" + " ".join(words[n * 700 : n * 700 + 700]) for n in range(1, 5))
    assert split(*(add_book(name, 4, text=preface + chapters) for name in "ab")) == 0
    assert [section.book for section in read_chapters(Path("out/matter.parquet"))] == ["a"]
    assert read_json("out/account.json")["totals"]["books"] == 1


def test_a_preface_is_kept_apart_and_marked(folder: Path) -> None:
    preface = "PREFACE\n\n" + "I wrote this book in a cold winter, and ask the reader to be kind to it. " * 8
    chapters = "".join(f"\n\nCHAPTER {n}\n\n" + f"It was winter {n}. " * 60 for n in range(1, 5))
    assert split(add_book("a", 4, text=preface + chapters)) == 0
    (section,) = read_chapters(Path("out/matter.parquet"))
    assert (section.kind, section.heading, section.chapter) == ("preface", "PREFACE", 0)
    assert section.text.startswith("I wrote this book")
    assert read_json("out/account.json")["totals"]["chapters"] == 4


def test_a_shelf_without_a_chapter_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert split(add_book("a", 0), add_book("b", 0)) == 1
    assert "no readable chapter in the shelf" in capsys.readouterr().err


def test_canaries_are_planted_in_training_alone_and_only_where_asked_for(folder: Path) -> None:
    book = add_book("b", 20)
    assert split(book, out="plain") == 0
    spec = {"words": 4, "frequent": 16, "copies": [1, 5], "each": 2, "references": 20, "seed": 3}
    assert split(book, out="planted", canaries=spec) == 0
    assert "canaries" not in read_json("plain/account.json")
    told = read_json("planted/account.json")["canaries"]
    texts = {name: [c.text for c in read_chapters(Path(f"planted/{name}.parquet"))] for name in SPLITS}
    for name in ("valid", "test"):
        assert Path(f"planted/{name}.parquet").read_bytes() == Path(f"plain/{name}.parquet").read_bytes()
    paragraphs = [part for text in texts["train"] for part in text.split("\n\n")]
    sentences = {canary["text"]: canary["copies"] for canary in told["planted"]}
    assert sorted(sentences.values()) == [1, 1, 5, 5]
    assert {text: paragraphs.count(text) for text in sentences} == sentences
    plain = [c.text for c in read_chapters(Path("plain/train.parquet"))]
    without = ["\n\n".join(p for p in text.split("\n\n") if p not in sentences) for text in texts["train"]]
    assert without == plain
