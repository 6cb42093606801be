import csv
import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nextchapter.report.figures import family_colours
from nextchapter.stages.track_study import main
from nextchapter.tracking.address import resolve_uri
from nextchapter.tracking.store import ensure_experiment

STUDY = Path("results/austen")
BITS = {"lstm-384.s1": 2.08, "gru-384.s1": 2.11}


@pytest.fixture
def study(tracked_project: Path) -> Path:
    (STUDY / "corpus").mkdir(parents=True)
    (STUDY / "corpus" / "quality.json").write_text("{}")
    (STUDY / "corpus" / "split.csv").write_text("book,chapter\n")
    (STUDY / "curves.png").write_bytes(b"picture")
    (STUDY / "next-chapter.md").write_text("# CHAPTER XXV\n")
    (STUDY / "comparisons.csv").write_text("better,worse\n")
    write_leaderboard(BITS)
    return STUDY


def write_leaderboard(bits: dict[str, float]) -> None:
    """Write the scores of some runs, the best first; only it has an interval."""
    rows = [
        {
            "rank": rank,
            "run": run,
            "model": run.partition("-")[0],
            "parameters": 1_345_000,
            "corpus": "austen",
            "valid_bits_per_character": value - 0.03,
            "test_nats_per_token": 5.2,
            "test_perplexity": 181.3,
            "test_perplexity_per_word": 950.1,
            "test_bits_per_character": value,
            "test_bits_per_byte": value,
            "test_word_accuracy": "",
            "test_expected_calibration_error": 0.03,
            "ci_low": value - 0.02 if rank == 1 else "",
            "ci_high": value + 0.02 if rank == 1 else "",
            "champion": rank == 1,
        }
        for rank, (run, value) in enumerate(bits.items(), 1)
    ]
    with (STUDY / "leaderboard.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def track(uri: str | None = None) -> dict[str, str]:
    files = {
        "leaderboard": STUDY / "leaderboard.csv",
        "comparisons": STUDY / "comparisons.csv",
        "chapter": STUDY / "next-chapter.md",
        "quality": STUDY / "corpus/quality.json",
        "split": STUDY / "corpus/split.csv",
        "figures": STUDY / "curves.png",
        "record": STUDY / "mlflow-study.json",
    }
    argv = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    assert main(["--spec", json.dumps({"study": "austen", "run": "", "uri": uri}), "--records", *argv]) == 0
    return json.loads((STUDY / "mlflow-study.json").read_text())


def test_the_parent_run_shows_the_leaderboard_and_the_champion(study: Path) -> None:
    record = track()
    run = MlflowClient(record["tracking_uri"]).get_run(record["parent_run_id"])
    assert (run.info.run_name, run.info.status) == ("austen", "FINISHED")
    assert run.data.metrics["champion/test_bits_per_character"] == 2.08
    assert run.data.metrics["study/runs"] == 2
    assert {name: run.data.tags[name] for name in ("champion", "corpus", "runs")} == {
        "champion": "lstm-384.s1",
        "corpus": "austen",
        "runs": "lstm-384.s1, gru-384.s1",
    }
    assert run.data.tags["mlflow.note.content"].splitlines()[2:] == [
        "| 1 | **lstm-384.s1** | 1,345,000 | 2.080 (2.060 to 2.100) | 181.3 |",
        "| 2 | gru-384.s1 | 1,345,000 | 2.110 | 181.3 |",
    ]


def test_the_study_s_files_are_artifacts(study: Path) -> None:
    folder = Path("results/mlartifacts/austen") / track()["parent_run_id"] / "artifacts"
    copies = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = [
        "leaderboard.csv",
        "comparisons.csv",
        "next-chapter.md",
        "corpus/quality.json",
        "corpus/split.csv",
        "figures/curves.png",
    ]
    assert copies == set(expected)
    assert (folder / "leaderboard.csv").read_bytes() == (STUDY / "leaderboard.csv").read_bytes()


def test_publishing_twice_changes_nothing(study: Path) -> None:
    record = track()
    assert track() == record
    client = MlflowClient(record["tracking_uri"])
    assert len(client.search_runs([record["experiment_id"]])) == 1
    assert len(client.get_metric_history(record["parent_run_id"], "champion/test_bits_per_character")) == 1


def test_a_run_that_joins_the_study_changes_the_same_parent(study: Path) -> None:
    record = track()
    write_leaderboard({"elman-384.s1": 1.9, **BITS})
    assert track()["parent_run_id"] == record["parent_run_id"]
    run = MlflowClient(record["tracking_uri"]).get_run(record["parent_run_id"])
    assert (run.data.tags["champion"], run.data.metrics["study/runs"]) == ("elman-384.s1", 3)
    assert run.data.metrics["champion/test_bits_per_character"] == 1.9


def test_a_server_out_of_reach_is_a_warning(study: Path) -> None:
    record = track("http://127.0.0.1:9")
    assert (record["published"], record["failed_attempts"]) == (False, 1)


def test_the_champion_is_tagged_and_a_run_alone_in_its_family_has_the_report_s_colour(study: Path) -> None:
    found = ensure_experiment("austen", resolve_uri(None))
    runs = {
        name: found.create_run(name, 1000, {"model": name.partition("-")[0]})
        for name in ("lstm-384.s1", "gru-384.s1", "gru-256.s1")
    }
    write_leaderboard(dict.fromkeys(runs, 2.0))
    track()
    colours = {name: found.client.get_run(run_id).data.tags.get("mlflow.runColor") for name, run_id in runs.items()}
    champions = [run.info.run_name for run in found.find_runs("tags.champion = 'true'")]
    assert champions == ["lstm-384.s1"]
    assert colours == {"lstm-384.s1": family_colours([])["lstm"], "gru-384.s1": None, "gru-256.s1": None}
