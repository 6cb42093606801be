import csv
from pathlib import Path

from nextchapter.corpus.books import Chapter
from nextchapter.corpus.quality import describe_shelf, write_manifest

CHAPTERS = [
    Chapter("a, b", "", "", "", 1, 'He said "I"', "One two."),
    Chapter("a, b", "", "", "", 2, "", "Three."),
    Chapter("ж", "", "", "", 1, "", "Four five six."),
]
SPLITS = ["train", "test", "valid"]


def test_the_manifest_has_a_row_a_chapter(tmp_path: Path) -> None:
    write_manifest(tmp_path / "split.csv", CHAPTERS, SPLITS)
    with (tmp_path / "split.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["book"], row["chapter"], row["heading"], row["split"]) for row in rows] == [
        ("a, b", "1", 'He said "I"', "train"),
        ("a, b", "2", "", "test"),
        ("ж", "1", "", "valid"),
    ]
    assert [row["characters"] for row in rows] == ["8", "6", "14"]
    assert rows[0]["sha256"] == CHAPTERS[0].sha256


def test_the_record_of_a_shelf_counts_what_is_used() -> None:
    twin = Chapter("ж", "", "", "", 2, "II", "Three.")
    record = describe_shelf("a shelf", [{"book": "a, b"}, {"book": "ж"}], CHAPTERS, SPLITS, [(twin, CHAPTERS[1])])
    assert record["shelf"] == "a shelf"
    assert [book["book"] for book in record["books"]] == ["a, b", "ж"]
    totals = record["totals"]
    assert (totals["books"], totals["chapters"], totals["characters"], totals["words"]) == (2, 3, 28, 6)
    assert totals["splits"]["valid"] == {"chapters": 1, "characters": 14, "words": 3}
    assert record["duplicates"] == [
        {"book": "ж", "chapter": 2, "heading": "II", "characters": 6,
         "same_as": {"book": "a, b", "chapter": 2, "heading": ""}}
    ]  # fmt: skip
