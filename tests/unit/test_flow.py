import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from nextchapter.flow import Flow, book_key
from nextchapter.spec.base import SpecError

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of three books with awkward names, one of them further down; it is not the current one."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "Мои книги"
    for name in ("b two.txt", 'a {1}\'s "book".TXT', "more/c.txt", "notes.pdf", ".hidden.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("text")
    return folder


def _flow(**changes: Any) -> Flow:
    return Flow.from_config({**CONFIG, **changes})


def test_a_folder_is_read_recursively_in_name_order(shelf: Path) -> None:
    flow = _flow(books=str(shelf))
    assert flow.name == "Мои книги"
    assert [name for name, _ in flow.books.values()] == ['a {1}\'s "book"', "b two", "more/c"]
    assert flow.fetched == []
    sources = [flow.source_of(book) for book in flow.books]
    assert not [source for source in sources if "{" in source]  # Snakemake would take it for a wildcard
    assert [Path(source).resolve() for source in sources] == [path for _, path in flow.books.values()]


def test_two_files_of_one_name_are_two_books(tmp_path: Path) -> None:
    for name in ("a.txt", "a.TXT", "b.txt"):
        (tmp_path / "shelf" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "shelf" / name).write_text(name)
    books = _flow(books=str(tmp_path / "shelf")).books.values()
    assert [name for name, _ in books] == ["a.TXT", "a.txt", "b"]


def test_the_key_of_a_book_is_plain_and_does_not_depend_on_the_others(shelf: Path) -> None:
    before = set(_flow(books=str(shelf)).books)
    assert all(key.isascii() and not set(key) & set(" {}'\"/") for key in before)
    (shelf / "aa first.txt").write_text("text")
    after = set(_flow(books=str(shelf)).books)
    assert before < after
    assert book_key("Война и мир") != book_key("Анна Каренина")


def test_a_relative_folder_and_one_with_a_tilde_are_found(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absolute = _flow(books=str(shelf)).spec("split_corpus")
    assert _flow(books="Мои книги/").spec("split_corpus") == absolute
    monkeypatch.setenv("HOME", str(shelf.parent))
    assert _flow(books="~/Мои книги").spec("split_corpus") == absolute


@pytest.mark.parametrize("typed", ["2026", "007", "1e3", "yes", "a: b", "x #1", "[z]"])
def test_the_name_of_a_folder_is_taken_as_it_was_typed(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / typed).mkdir()
    (tmp_path / typed / "book.txt").write_text("text")
    made_of_it: Any = 2026 if typed == "2026" else {"something": "else"}
    flow = Flow.from_config({**CONFIG, "books": made_of_it}, ["snakemake", "--config", f"books={typed}"])
    assert flow.shelf == str(tmp_path / typed)


def test_a_missing_an_empty_and_another_shelf_of_that_name_are_refused(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"books: found '.*nowhere'; it must be a folder"):
        _flow(books=str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SpecError, match=r"no .txt file in '.*empty'"):
        _flow(books=str(tmp_path / "empty"))
    record = tmp_path / "results/Мои книги/corpus/quality.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"shelf": str(tmp_path)}))
    with pytest.raises(SpecError, match=r"holds a study of another shelf .* study=NAME"):
        _flow(books=str(shelf))
    assert _flow(books=str(shelf), study="mine").name == "mine"
    record.write_text(json.dumps({"shelf": str(shelf)}))
    assert _flow(books=str(shelf)).name == "Мои книги"


def test_the_specification_of_a_rule_holds_what_it_reads_and_nothing_else() -> None:
    flow = _flow()
    changed = json.loads(json.dumps(CONFIG))
    changed["runs"]["lstm-384"]["model"]["dropout"] = 0.5
    other = Flow.from_config(changed)
    rules = [("train_model", run) for run in flow.runs] + [("evaluate_model", run) for run in flow.runs]
    rules += [("train_tokenizer", "unigram-2k"), ("split_corpus", ""), ("clean_book", next(iter(flow.books)))]
    assert [rule for rule in rules if flow.spec(*rule) != other.spec(*rule)] == [("train_model", "lstm-384.s1")]


def test_swapped_values_change_the_specification() -> None:
    """Snakemake compares params as a set of values and would not see it."""
    specs = [
        _flow(training={**CONFIG["training"], "learning_rate": rate, "weight_decay": decay}).spec(
            "train_model", "gru-384.s1"
        )
        for rate, decay in ((0.1, 0.2), (0.2, 0.1))
    ]
    assert specs[0] != specs[1]


def test_a_value_of_the_file_arrives_in_the_specification_of_its_rule() -> None:
    flow = _flow(writing={"temperature": 0.123})
    assert json.loads(flow.spec("write_chapter", "gru-384.s1"))["temperature"] == 0.123
    assert (
        json.loads(flow.spec("train_model", "gru-384.s1"))["training"]["max_tokens"] == CONFIG["training"]["max_tokens"]
    )


def test_a_failed_attempt_to_publish_makes_its_rule_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = _flow().spec("track_run", "gru-384.s1")
    record = tmp_path / "results/austen/runs/gru-384.s1/mlflow.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"published": False, "failed_attempts": 1}))
    assert _flow().spec("track_run", "gru-384.s1") != before
    assert _flow().spec("track_run", "lstm-384.s1") == before.replace("gru", "lstm")


def test_wildcards_match_the_names_and_nothing_more() -> None:
    import re

    pattern = re.compile(Flow.pattern(["lstm.s1", "a b"]))
    assert [bool(pattern.fullmatch(name)) for name in ("lstm.s1", "a b", "lstmxs1", "lstm.s12")] == [
        True,
        True,
        False,
        False,
    ]


def test_stages_are_run_by_the_interpreter_that_runs_snakemake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    _flow()
    assert os.environ["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_the_code_of_a_run_is_that_of_its_family_whatever_its_name(shelf: Path) -> None:
    run = {"tokenizer": "unigram-2k"}
    runs = {"window": {**run, "model": {"kind": "feed-forward"}}, "counts": {**run, "model": {"kind": "ngram"}}}
    flow = _flow(books=str(shelf), runs=runs)
    assert flow.code("train_model", "window.s1") != flow.code("train_model", "counts.s1")
    assert flow.code("draw_network", "window.s1") == flow.code("draw_network", "counts.s1")
