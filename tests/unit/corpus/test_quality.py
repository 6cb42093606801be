import csv
from pathlib import Path

from nextchapter.corpus.books import Entry
from nextchapter.corpus.quality import describe_duplicates, describe_splits, write_manifest

ENTRIES = [
    Entry("a, b", 1, 'He said "I"', 8, 2, "5a"),
    Entry("a, b", 2, "", 6, 1, "7b"),
    Entry("ж", 1, "", 2_000_000, 3, "9c"),
]
SPLITS = ["train", "test", "valid"]


def test_the_manifest_has_a_row_a_chapter(tmp_path: Path) -> None:
    write_manifest(tmp_path / "split.csv", ENTRIES, SPLITS)
    with (tmp_path / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["book"], row["chapter"], row["heading"], row["split"]) for row in rows] == [
        ("a, b", "1", 'He said "I"', "train"),
        ("a, b", "2", "", "test"),
        ("ж", "1", "", "valid"),
    ]
    assert [row["characters"] for row in rows] == ["8", "6", "2000000"]
    assert rows[0]["sha256"] == ENTRIES[0].sha256


def test_the_totals_count_what_is_used() -> None:
    totals = describe_splits(2, ENTRIES, SPLITS)
    assert (totals["books"], totals["chapters"], totals["characters"], totals["words"]) == (2, 3, 2_000_014, 6)
    assert totals["splits"]["valid"] == {"chapters": 1, "characters": 2_000_000, "words": 3}


def test_copies_are_named_with_their_headings_and_lengths() -> None:
    twins = [
        {"book": "a, b", "chapter": 1, "same_as": {"book": "ж", "chapter": 1}, "similarity": 0.9, "kind": "similar"},
        {"book": "a, b", "chapter": None, "same_as": {"book": "ж", "chapter": None}, "similarity": 1.0, "kind": "same"},
    ]
    chapter, book = describe_duplicates(twins, ENTRIES)
    assert (chapter["heading"], chapter["characters"], chapter["same_as"]["chapter"]) == ('He said "I"', 8, 1)
    assert (book["chapter"], book["heading"], book["characters"]) == (None, "", 14)
