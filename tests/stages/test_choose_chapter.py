import json
from pathlib import Path

import pytest

from nextchapter.stages.choose_chapter import main


def test_the_chapter_of_the_champion_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "champion.json").write_text(json.dumps({"run": "b.s1"}))
    for name in "abc":
        (tmp_path / f"{name}.md").write_text(f"# by {name}\n")
    spec = json.dumps({"runs": ["a.s1", "b.s1", "c.s1"]})
    chapters = [f"{tmp_path}/{name}.md" for name in "abc"]
    target = tmp_path / "next.md"
    arguments = ["--spec", spec, "--champion", "champion.json", "--chapters", *chapters, "--next-chapter", str(target)]
    assert main(arguments) == 0
    assert target.read_text() == "# by b\n"
