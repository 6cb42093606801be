import json
from pathlib import Path
from typing import Any

import pytest

from nextchapter.corpus.books import Chapter, chapter_table
from nextchapter.stages.find_duplicates import main
from nextchapter.store.files import read_json, write_json


def _text(seed: int) -> str:
    """Return 1,200 words, no run of five of them twice."""
    return " ".join(f"word{(place * place + seed * 7919 * place) % 9973}" for place in range(1200))


def _shard(folder: Path, name: str, chapters: dict[str, list[str]]) -> tuple[str, str]:
    records = []
    with chapter_table(folder / f"{name}.parquet") as table:
        for book, texts in chapters.items():
            start = table.groups
            table.add([Chapter(book, "", book, "", place, "", text) for place, text in enumerate(texts, start=1)])
            table.end_group()
            records.append(
                {
                    "name": book,
                    "books": [{"book": book, "row_groups": [start, table.groups]}],
                    "refused": [],
                    "refused_count": 0,
                }
            )
    write_json(folder / f"{name}.json", {"files": records})
    return str(folder / f"{name}.parquet"), str(folder / f"{name}.json")


def _find(
    folder: Path, *shards: tuple[str, str], threads: int = 1, in_name_order: bool = False
) -> list[dict[str, object]]:
    tables, records = zip(*shards, strict=True)
    spec = json.dumps({"similarity": 0.8, "in_name_order": in_name_order, "languages": []})
    arguments = ["--spec", spec, "--threads", str(threads), "--chapters", *tables, "--books", *records]
    assert main([*arguments, "--duplicates", str(folder / "out.json")]) == 0
    found: list[dict[str, Any]] = read_json(folder / "out.json")
    return found


def test_copies_over_several_shards_are_named_with_what_they_copy(tmp_path: Path) -> None:
    first = _shard(tmp_path, "one", {"b": [_text(1), _text(2)]})
    nearly = " ".join([*_text(2).split()[:-5], "quite", "another", "end"])
    second = _shard(tmp_path, "two", {"a": [_text(3), nearly, _text(4)], "c": [_text(1), _text(2)]})
    near, whole = _find(tmp_path, first, second)
    assert (near["book"], near["chapter"], near["same_as"]) == ("a", 2, {"book": "b", "chapter": 2})
    assert near["similarity"] == pytest.approx(1191 / 1199, abs=1e-4)  # of 1,196 and 1,194 shingles, 1,191 in common
    assert (whole["book"], whole["same_as"], whole["similarity"]) == ("c", {"book": "b", "chapter": None}, 1.0)


def test_the_order_of_the_shelf_decides_which_copy_stays(tmp_path: Path) -> None:
    shards = [_shard(tmp_path, "one", {"b": [_text(1)]}), _shard(tmp_path, "two", {"a": [_text(1)]})]
    assert [twin["book"] for twin in _find(tmp_path, *shards)] == ["a"]
    assert [twin["book"] for twin in _find(tmp_path, *shards, in_name_order=True)] == ["b"]


def test_more_processes_find_the_same(tmp_path: Path) -> None:
    shards = [_shard(tmp_path, f"s{n}", {f"b{n}": [_text(n), _text(n // 2 + 50)]}) for n in range(4)]
    assert _find(tmp_path, *shards) == _find(tmp_path, *shards, threads=2) != []
