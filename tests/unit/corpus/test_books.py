import hashlib
from pathlib import Path

import pandas as pd

from nextchapter.corpus.books import SCHEMA, Chapter, read_chapters, write_chapters

CHAPTERS = [
    Chapter("a/b", "Jane Austen", "Emma", "VOLUME I", 1, "CHAPTER I", "One.\n\nTwo."),
    Chapter("ж", "", "Ж", "", 2, "", "Три."),
]


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    write_chapters(tmp_path / "a.parquet", CHAPTERS)
    assert read_chapters(tmp_path / "a.parquet") == CHAPTERS
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert list(table.columns) == SCHEMA.names
    assert list(table["sha256"]) == [hashlib.sha256(chapter.text.encode()).hexdigest() for chapter in CHAPTERS]


def test_equal_chapters_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_chapters(tmp_path / f"{name}.parquet", CHAPTERS)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_table_without_chapters_has_its_columns(tmp_path: Path) -> None:
    write_chapters(tmp_path / "a.parquet", [])
    assert read_chapters(tmp_path / "a.parquet") == []
    assert list(pd.read_parquet(tmp_path / "a.parquet").columns) == SCHEMA.names
