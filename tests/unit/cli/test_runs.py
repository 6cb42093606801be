from pathlib import Path

import pytest

from nextchapter.cli.loaded import LoadedRuns
from nextchapter.cli.runs import find_run, list_runs
from nextchapter.store.files import write_json


def listed(study: str | None = None) -> list[str]:
    return [f"{standing.run.study}/{standing.run.name}" for standing in list_runs(study)]


def test_the_champion_is_listed_first_and_then_the_better_before_the_worse(results: Path) -> None:
    for run, bits in (("net.s1", 1.9), ("other.s1", 1.5), ("other.s2", 1.7)):
        file = results / "shelf" / "runs" / run / "metrics.json"
        write_json(file, {"splits": {"test": {"bits_per_character": bits}}})
    assert listed("shelf") == ["shelf/other.s2", "shelf/other.s1", "shelf/net.s1"]
    first, second, _ = list_runs("shelf")
    assert (first.champion, first.bits_per_character) == (True, 1.7)
    assert (second.champion, second.bits_per_character) == (False, 1.5)


def test_runs_that_are_not_scored_stand_behind_those_that_are(results: Path) -> None:
    write_json(results / "tales" / "runs" / "solo.s1" / "metrics.json", {"splits": {"test": {"bits_per_character": 9}}})
    assert listed("tales") == ["tales/solo.s1", "tales/net.s1"]


def test_runs_under_way_and_folders_that_are_no_study_are_not_listed(results: Path) -> None:
    (results / "shelf" / "runs" / "net.s1" / "model.safetensors").unlink()
    (results / "tales" / "runs" / "net.s1" / "run.json").unlink()
    (results / "mlartifacts").mkdir()
    assert listed() == ["shelf/other.s2", "shelf/other.s1", "tales/solo.s1"]
    assert listed("nowhere") == []


def test_a_run_is_loaded_once_until_it_is_trained_again(results: Path) -> None:
    loaded, run = LoadedRuns(2), find_run("solo")
    first = loaded.get(run)
    assert loaded.get(find_run("solo")) is first
    run.model.write_bytes((results / "tales" / "runs" / "net.s1" / "model.safetensors").read_bytes())
    again = loaded.get(run)
    assert again is not first
    weights = zip(first.model.parameters(), again.model.parameters(), strict=True)
    assert any((before != after).any() for before, after in weights)


@pytest.mark.parametrize(("asked_between", "kept"), [(["other.s1"], True), (["other.s1", "other.s2"], False)])
def test_only_the_runs_that_were_asked_last_are_kept(results: Path, asked_between: list[str], kept: bool) -> None:
    loaded = LoadedRuns(2)
    first = loaded.get(find_run("solo"))
    for name in asked_between:
        loaded.get(find_run(name))
    assert (loaded.get(find_run("solo")) is first) is kept
