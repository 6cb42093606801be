"""A benchmark that comes divided and with its tokens apart goes through the workflow with the counts of the field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nextchapter.store.files import read_json

WIKITEXT = Path(__file__).resolve().parents[3] / "shared/data/wikitext-2"
TOKENIZERS = {"whole": {"kind": "words", "pretokenized": True, "vocabulary_size": None, "minimum_count": 1}}
RUNS = {"lstm": {"tokenizer": "whole", "model": {"kind": "lstm", "hidden": 16, "embedding": 8}}}


def corpus_of(folder: Path, suffix: str) -> dict[str, Any]:
    files = {split: str(folder / f"wiki.{split}.tokens{suffix}") for split in ("train", "valid", "test")}
    return {"name": "benchmark", "source": {"kind": "pretokenized", **files}}


def write_benchmark(path: Path, lines: int, seed: int) -> int:
    """Write lines of random words with a few of WikiText's oddities; return their tokens, `<eos>` included."""
    generator = np.random.default_rng(seed)
    words = np.array("the cat sat on a mat . and dog @-@ ran <unk> to her , with him in fog it".split())
    text = "".join(
        " " + " ".join(generator.choice(words, size=size)) + " \n" for size in generator.integers(0, 12, lines)
    )
    path.write_text(text, encoding="utf-8")
    return len(text.split()) + lines


def call(project: Any, *arguments: str) -> None:
    with project.start("--cores", "2", *arguments) as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output


def test_a_divided_benchmark_is_taken_as_it_is_and_scored_a_word(make_project: Callable[[], Any]) -> None:
    project = make_project()
    sizes = {"train": 400, "valid": 60, "test": 50}
    counts = {
        split: write_benchmark(project.folder / f"wiki.{split}.tokens", lines, lines) for split, lines in sizes.items()
    }
    without_extras = {"hopfield": None, "gradient_lab": None}
    project.configure(corpus=corpus_of(Path(), ""), tokenizers=TOKENIZERS, runs=RUNS, **without_extras)
    call(project)
    results = project.folder / "results/benchmark"
    facts = read_json(results / "tokens/whole/tokens.json")
    assert {split: facts["splits"][split]["tokens"] for split in counts} == counts
    assert {split: facts["splits"][split]["words"] for split in counts} == counts
    assert facts["vocabulary_size"] == 21  # the words, <unk> among them, and <eos>
    board = pd.read_csv(results / "leaderboard.csv").iloc[0]
    assert board["test_perplexity_per_word"] == pytest.approx(board["test_perplexity"], rel=1e-12)
    assert board["test_bits_per_character"] == board["test_bits_per_character_without_spelling"]
    chapter = (results / "next-chapter.md").read_text(encoding="utf-8")
    assert "<unk>" not in chapter
    assert "<eos>" not in chapter
    assert chapter.count("\n\n") > 2  # heading and lines
    assert "wiki.train" in (results / "corpus/quality.html").read_text(encoding="utf-8")
    report = (results / "report/index.html").read_text(encoding="utf-8")
    assert "Who foresees an unread chapter best" in report
    assert "Hopfield" not in report


@pytest.mark.skipif(not WIKITEXT.is_dir(), reason="needs ../shared/data/wikitext-2 beside the checkout")
def test_wikitext_goes_through_the_workflow_with_the_counts_of_the_field(make_project: Callable[[], Any]) -> None:
    project = make_project()
    project.configure(corpus=corpus_of(WIKITEXT, ".xz"), tokenizers=TOKENIZERS, runs=RUNS)
    call(project, "results/benchmark/tokens/whole/tokens.json")
    facts = read_json(project.folder / "results/benchmark/tokens/whole/tokens.json")
    counts = {split: facts["splits"][split]["tokens"] for split in ("train", "valid", "test")}
    assert counts == {"train": 2_088_628, "valid": 217_646, "test": 245_569}
    assert facts["vocabulary_size"] == 33_278


def test_a_file_that_is_not_there_is_named_before_any_job(make_project: Callable[[], Any]) -> None:
    project = make_project()
    project.configure(corpus=corpus_of(Path("nowhere"), ""), tokenizers=TOKENIZERS, runs=RUNS)
    with project.start("--cores", "1", "-n") as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert "corpus.source.train: found 'nowhere/wiki.train.tokens'; it must be a file" in output
