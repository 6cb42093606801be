from pathlib import Path

from nextchapter.corpus import books
from nextchapter.corpus.books import Chapter, chapter_table
from nextchapter.corpus.shards import Shelf
from nextchapter.store.files import write_json


def _chapter(book: str, number: int) -> Chapter:
    return Chapter(book, "", book, "", number, f"Chapter {number}", f"{book} {number} text")


def _shard(folder: Path, name: str, files: dict[str, list[str]]) -> tuple[Path, Path]:
    """Write a shard: its files, and the books in each; every book has two chapters."""
    records = []
    with chapter_table(folder / f"{name}.parquet") as table:
        for file, own in files.items():
            found = []
            for book in own:
                start = table.groups
                table.add([_chapter(book, 1), _chapter(book, 2)])
                table.end_group()
                found.append({"book": book, "row_groups": [start, table.groups]})
            records.append(
                {
                    "name": file,
                    "books": found,
                    "refused": [{"file": f"{file}.bad", "reason": "broken"}],
                    "refused_count": 1,
                }
            )
    write_json(folder / f"{name}.json", {"files": records})
    return folder / f"{name}.parquet", folder / f"{name}.json"


def test_books_come_in_the_order_of_the_shelf(tmp_path: Path) -> None:
    first = _shard(tmp_path, "one", {"c": ["c/z", "c/a"], "d": ["d"]})
    second = _shard(tmp_path, "two", {"a": ["a"]})
    tables, records = zip(first, second, strict=True)
    listed, named = (Shelf.open(tables, records, in_name_order=order) for order in (False, True))
    assert [book.name for book in listed.books] == ["c/z", "c/a", "d", "a"]
    assert [book.name for book in named.books] == ["a", "c/z", "c/a", "d"]
    assert [refused["file"] for refused in named.refused] == ["a.bad", "c.bad", "d.bad"]
    assert named.refused_count == 3


def test_entries_and_rows_are_those_of_each_book(tmp_path: Path) -> None:
    shelf = Shelf.open(*([path] for path in _shard(tmp_path, "one", {"a": ["a"], "b": ["b"]})), in_name_order=False)
    assert [
        (entry.book, entry.chapter, entry.characters, entry.words) for book in shelf.books for entry in book.entries()
    ] == [(book, number, 8, 3) for book in "ab" for number in (1, 2)]
    (_, other) = shelf.books
    assert [(row["chapter"], row["text"]) for row in other.rows()] == [(1, "b 1 text"), (2, "b 2 text")]


def test_a_long_book_has_several_row_groups_and_comes_back_whole(tmp_path: Path) -> None:
    text = "x" * (books.GROUP_CHARACTERS // 3 + 1)
    with chapter_table(tmp_path / "a.parquet") as table:
        table.add([Chapter("a", "", "a", "", number, "", f"{number}{text}") for number in range(1, 9)])
        table.end_group()
        assert table.groups == 3
    write_json(
        tmp_path / "a.json",
        {"files": [{"name": "a", "books": [{"book": "a", "row_groups": [0, 3]}], "refused": [], "refused_count": 0}]},
    )
    shelf = Shelf.open([tmp_path / "a.parquet"], [tmp_path / "a.json"], in_name_order=False)
    assert [row["text"][0] for row in shelf.books[0].rows()] == list("12345678")
