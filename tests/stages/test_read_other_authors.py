import json
import zipfile
from pathlib import Path

import pytest

from nextchapter.corpus.books import read_chapters
from nextchapter.stages.read_other_authors import main
from nextchapter.store.files import sha256_of

PROSE = "It was the best of days, and the people of the town went to the sea. " * 30
MEMBERS = {
    "texts/own.txt": f"[Own by Jane Austen 1811]\n\nCHAPTER I\n\n{PROSE}",
    "texts/ship.txt": f"[Ship by Herman Melville 1851]\n\nCHAPTER I\n\n{PROSE}\n\nCHAPTER II\n\n{PROSE}",
    "texts/nameless.txt": f"CHAPTER I\n\n{PROSE}",
    "texts/empty.txt": "",
    "texts/deeper/other.txt": "CHAPTER I\n\nNot in the folder itself.",
    "elsewhere.txt": "CHAPTER I\n\nNor this.",
}


def test_the_books_of_others_are_sampled_and_those_of_the_shelf_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wheel = Path("resources/wheels/some_books-1.0-py3-none-any.whl")
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in MEMBERS.items():
            archive.writestr(name, text)
    spec = {"package": "some-books", "version": "1.0", "sha256": sha256_of(wheel), "folder": "texts"}
    for name in ("a", "b"):
        assert main(["--spec", json.dumps({**spec, "files": ["own.txt"]}), "--authors", f"{name}.parquet"]) == 0
    assert Path("a.parquet").read_bytes() == Path("b.parquet").read_bytes()
    chapters = read_chapters(Path("a.parquet"))
    assert [chapter.author for chapter in chapters][:2] == ["Herman Melville"] * 2
    assert len(chapters) == 3
    assert chapters[2].author.lower() == "nameless"
    assert chapters[0].language == "en"
    assert chapters[0].text.split() == [*PROSE.split()[:-1], "sea"]
