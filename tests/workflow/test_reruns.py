"""What runs again after a change, and what does not, by Snakemake itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from nextchapter.store.files import read_json

AFTER_A_RUN = [
    "choose_chapter", "compare_chapters", "compare_runs", "measure_gradients", "plot_costs", "plot_curves",
    "plot_judgement", "plot_leaderboard", "register_champion", "render_chapters", "track_study", "write_report",
]  # fmt: skip
A_RUN = [
    "draw_network", "draw_neurons", "evaluate_model", "examine_chapter", "track_run", "train_model", "write_chapter",
]  # fmt: skip


@contextmanager
def _edited(path: Path, old: str, new: str) -> Iterator[None]:
    """Replace a piece of a file for a while; the file comes back with its time."""
    text, times = path.read_text(), path.stat()
    assert old in text
    path.write_text(text.replace(old, new))
    try:
        yield
    finally:
        path.write_text(text)
        import os

        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_shelf_goes_in_and_everything_promised_comes_out(finished: Any) -> None:
    results = finished.results
    for name in (
        "corpus/train.parquet", "corpus/quality.json", "tokens/tiny/tokens.json", "tokens/tiny/train.bin",
        "leaderboard.csv", "comparisons.csv", "figures/losses.svg", "figures/calibration.png", "corpus/words.parquet",
        "next-chapter.md", "chapters.html", "report/index.html", "figures/costs.svg",
        "figures/learning-curves.svg", "figures/learning-curves.png",
        "mlflow-study.json", "diagnostics/hopfield/hopfield.html", "diagnostics/hopfield/hopfield.png",
        "diagnostics/tasks/tasks.csv", "diagnostics/tasks/tasks.html", "diagnostics/tasks/tasks.svg",
        "diagnostics/gradients/gradients.csv", "diagnostics/gradients/gradients.svg",
    ):  # fmt: skip
        assert (results / name).stat().st_size, name
    for run in ("elman.s1", "lstm.s1"):
        for name in (
            "run.json",
            "model.safetensors",
            "events.jsonl",
            "metrics.json",
            "chapter.md",
            "mlflow.json",
            "neurons.svg",
        ):
            assert (results / "runs" / run / name).stat().st_size, name
    board = pd.read_csv(results / "leaderboard.csv")
    assert sorted(board["run"]) == ["elman.s1", "lstm.s1"]
    assert (results / "next-chapter.md").read_text().startswith("# CHAPTER 6\n\n")
    champion = board[board["champion"]]["run"].item()
    assert (results / "next-chapter.md").read_bytes() == (results / "runs" / champion / "chapter.md").read_bytes()
    published = read_json(results / "runs" / champion / "mlflow.json")
    assert published["published"]
    registered = read_json(results / "mlflow-model.json")
    assert (registered["version"], registered["run_id"]) == ("1", published["run_id"])


def test_names_that_are_commands_were_only_names(finished: Any) -> None:
    assert [path for path in finished.folder.rglob("*") if path.name == "evil"] == []
    pages = [path for kind in ("html", "svg") for path in finished.results.rglob(f"*.{kind}")]
    assert any("&lt;img src=x onerror=alert(1)&gt;" in page.read_text() for page in pages)
    assert [page for page in pages if "<img src=x onerror" in page.read_text()] == []


def test_no_secret_of_the_environment_is_in_anything_that_was_written(finished: Any) -> None:
    with finished.start("--books", str(finished.books), "--report-only", module="nextchapter.launch") as process:
        output, _ = process.communicate()
    assert process.returncode == 0, output
    written = [path for path in finished.folder.rglob("*") if path.is_file()]
    for needed in ("mlflow.db", "run.json", "snakemake-report.html", "lstm.s1.log"):
        assert any(path.name == needed for path in written), needed
    assert "s3cret-" not in output
    assert [path for path in written if b"s3cret-" in path.read_bytes()] == []


def test_a_second_call_does_nothing(finished: Any) -> None:
    code, output = finished.snakemake("--quiet", "host")
    assert code == 0
    assert "Nothing to be done" in output


def test_a_comment_or_white_space_in_the_source_runs_nothing(finished: Any) -> None:
    path = finished.folder / "src/nextchapter/models/lstm.py"
    with _edited(path, "class LstmCell(AdditiveCell):", "# a thought\n\n\nclass  LstmCell( AdditiveCell ):"):
        assert finished.planned() == []


def test_an_edit_of_one_model_runs_its_runs_and_what_follows_them(finished: Any) -> None:
    path = finished.folder / "src/nextchapter/models/lstm.py"
    with _edited(path, "gates = 4", "gates = 2 + 2"):
        in_tasks = ["train_tasks", "plot_tasks"]  # the LSTM that takes the memory task, and not the GRU
        assert finished.planned() == sorted([*(f"{rule} lstm.s1" for rule in A_RUN), *AFTER_A_RUN, *in_tasks])


def test_an_edit_of_the_memory_that_is_no_model_runs_no_model(finished: Any) -> None:
    path = finished.folder / "src/nextchapter/models/hopfield.py"
    with _edited(path, "2 * states", "2.0 * states"):
        assert finished.planned() == ["recall_patterns", "track_study", "write_report"]


def test_a_memory_of_other_size_runs_alone_and_one_switched_off_not_at_all(finished: Any) -> None:
    try:
        finished.configure(hopfield={"neurons": 60, "repeats": 1})
        assert finished.planned() == ["recall_patterns", "track_study", "write_report"]
        finished.configure(hopfield=None)
        assert finished.planned() == ["track_study", "write_report"]
        gradients = {"lags": 6, "windows": 4, "jacobian_places": 1, "clipping_steps": 5}  # as they are
        finished.configure(gradient_lab={"gradients": gradients, "tasks": None})
        assert finished.planned() == ["track_study", "write_report"]
    finally:
        finished.configure()


def test_a_new_model_that_nobody_uses_runs_nothing(finished: Any) -> None:
    path = finished.folder / "src/nextchapter/models/newcell.py"
    path.write_text("MODEL = None\n")
    try:
        assert finished.planned() == []
    finally:
        path.unlink()


def test_a_changed_value_runs_what_reads_it(finished: Any) -> None:
    try:
        finished.configure(writing={"words_min": 21, "words_max": 40})
        assert finished.planned() == sorted([
            "write_chapter elman.s1", "write_chapter lstm.s1", "track_run elman.s1", "track_run lstm.s1",
            "examine_chapter elman.s1", "examine_chapter lstm.s1", "choose_chapter", "compare_chapters", "compare_runs",
            "plot_costs", "plot_judgement", "plot_leaderboard", "register_champion", "render_chapters", "track_study",
            "write_report",
        ])  # fmt: skip
    finally:
        finished.configure()
    assert finished.planned() == []


def test_another_configuration_takes_the_place_of_the_default_one(finished: Any) -> None:
    config = yaml.safe_load((finished.folder / "config/config.yaml").read_text())
    del config["runs"]["elman"]
    other = finished.folder / "other.yaml"
    other.write_text(yaml.safe_dump(config, allow_unicode=True))
    jobs = finished.planned("--configfile", str(other))
    assert "compare_runs" in jobs  # of one run now
    assert not [job for job in jobs if "elman" in job]


def test_a_book_that_joins_the_shelf_does_not_clean_the_others_again(finished: Any) -> None:
    book = finished.books / "aa new.txt"
    book.write_text((finished.books / "$(touch evil) first.txt").read_text().replace("cat", "cow"))
    try:
        jobs = finished.planned()
        assert jobs.count("clean_books") == 1
        assert "split_corpus" in jobs
    finally:
        book.unlink()


def test_a_picture_laid_beside_the_books_trains_nothing_again(finished: Any) -> None:
    picture = finished.books / "cover.jpg"
    picture.write_bytes(b"picture")
    try:
        assert finished.planned() == ["render_quality", "track_study", "write_report"]
        code, output = finished.snakemake()
        assert code == 0, output
        (refused,) = read_json(finished.results / "corpus/quality.json")["refused"]
        assert (refused["file"], refused["reason"].split(";")[0]) == ("cover.jpg", "not a book format: .jpg")
    finally:
        picture.unlink()
        finished.snakemake()


def test_an_unreachable_store_stops_nothing_and_is_made_up_for_later(finished: Any) -> None:
    """The run's record is published to a server that is not there, then, on the next call, to one that is."""
    record = finished.results / "runs/lstm.s1/mlflow.json"
    store = finished.folder / "results/mlflow.db"
    kept = store.read_bytes()
    nowhere = {"uri": "http://127.0.0.1:9"}  # the discard port: nobody listens
    try:
        finished.configure(tracking=nowhere)
        code, output = finished.snakemake()
        assert code == 0, output
        assert not read_json(record)["published"]
        assert "track_run lstm.s1" in finished.planned()
    finally:
        finished.configure()
        store.write_bytes(kept)
    code, output = finished.snakemake()
    assert code == 0, output
    assert read_json(record)["published"]
    assert finished.planned() == []
