from pathlib import Path
from types import SimpleNamespace

import pytest

from nextchapter.stages import evaluate_model, train_model
from nextchapter.stages.write_chapter import main
from nextchapter.store.files import read_json


def test_the_next_chapter_has_the_next_number_and_the_same_seed_writes_it_again(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        assert main(arguments.write_chapter(small_shelf, trained, tmp_path / name)) == 0
    text = (tmp_path / "a/chapter.md").read_text()
    facts = read_json(tmp_path / "a/chapter.json")
    assert text.startswith("# Chapter 8\n\n" + facts["opening"])
    assert facts["opening_drawn"]
    assert (facts["after_book"], facts["after_chapter"]) == ("a/b", 7)
    assert facts["words"] >= 20
    assert (tmp_path / "b/chapter.md").read_bytes() == (tmp_path / "a/chapter.md").read_bytes()


def test_a_given_opening_is_taken_as_it_is(
    trained: Path, small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path
) -> None:
    opening = "Zebras — 斑馬 — and \N{ZEBRA FACE}"
    assert main(arguments.write_chapter(small_shelf, trained, tmp_path, opening=opening)) == 0
    assert (tmp_path / "chapter.md").read_text().startswith(f"# Chapter 8\n\n{opening}")
    assert not read_json(tmp_path / "chapter.json")["opening_drawn"]


def test_a_model_that_counts_is_scored_and_writes_as_any_other(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "run"
    assert train_model.main(arguments.train_model(small_shelf, run, model={"kind": "ngram", "order": 4})) == 0
    assert evaluate_model.main(arguments.evaluate_model(small_shelf, run, tmp_path)) == 0
    metrics, record = read_json(tmp_path / "metrics.json"), read_json(run / "run.json")
    assert metrics["parameters"] == record["parameters"] > record["vocabulary_size"]
    assert metrics["splits"]["valid"]["nats_per_token"] == pytest.approx(record["valid_nats_per_token"], rel=1e-6)
    assert main(arguments.write_chapter(small_shelf, run, tmp_path)) == 0
    assert read_json(tmp_path / "chapter.json")["words"] >= 20
