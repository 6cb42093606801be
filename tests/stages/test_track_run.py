import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from nextchapter.cli.runs import find_run
from nextchapter.stages.track_run import main

NAME = "lstm-384.s1"
RUN = Path("results/austen/runs") / NAME
TOKENS = Path("results/austen/tokens/unigram-2k")


@pytest.fixture
def study(tracked_project: Path, results_tree: Callable[..., Path]) -> Path:
    folder = results_tree(runs={NAME: ("lstm", 4.15, 2.08)})
    TOKENS.mkdir(parents=True)
    (TOKENS / "tokens.json").write_text(json.dumps({"splits": {"train": {"tokens": 500_000}}}))
    (TOKENS / "tokenizer.model").write_bytes(b"pieces")
    (folder / "curve.png").write_bytes(b"picture")
    return folder


def track(uri: str | None = None) -> dict[str, str]:
    files = {
        "provenance": RUN / "run.json",
        "events": RUN / "events.jsonl",
        "metrics": RUN / "metrics.json",
        "model": RUN / "model.safetensors",
        "chapter": RUN / "chapter.md",
        "chapter-facts": RUN / "chapter.json",
        "predictions": RUN / "predictions.csv",
        "examination": RUN / "examination.json",
        "blocks": RUN / "blocks.csv",
        "profile": RUN / "profile.json",
        "tokens": TOKENS / "tokens.json",
        "tokenizer-model": TOKENS / "tokenizer.model",
        "figures": "results/austen/curve.png",
        "record": RUN / "mlflow.json",
    }
    argv = [part for name, path in files.items() for part in (f"--{name}", str(path))]
    spec = {"study": "austen", "run": NAME, "uri": uri, "failed_attempts": 0}
    assert main(["--spec", json.dumps(spec), "--log", "logs/track_run.log", *argv]) == 0
    return json.loads((RUN / "mlflow.json").read_text())


def provenance(**changes: object) -> dict[str, object]:
    values = {**json.loads((RUN / "run.json").read_text()), **changes}
    (RUN / "run.json").write_text(json.dumps(values))
    return values


def runs_of(record: dict[str, str]) -> list[Run]:
    """Return the runs of the experiment but the one that stands for the study."""
    runs = MlflowClient(record["tracking_uri"]).search_runs([record["experiment_id"]])
    return [run for run in runs if run.info.run_id != record["parent_run_id"]]


def points_in_mlflow(record: dict[str, str], run: Run) -> set[tuple[str, float, int, int]]:
    client = MlflowClient(record["tracking_uri"])
    return {
        (point.key, point.value, point.timestamp, point.step)
        for key in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, key)
    }


def points_of_files(run: dict[str, object]) -> set[tuple[str, float, int, int]]:
    """Return what MLflow must hold, read from the files by other means than the stage's."""
    points = set()
    for line in (RUN / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        for key, value in event.get("metrics", {}).items():
            points.add((key, value, round(event["time"] * 1000), event["step"]))
    splits = json.loads((RUN / "metrics.json").read_text())["splits"]
    names = [
        "bits_per_character",
        "bits_per_character_without_spelling",
        "nats_per_token",
        "perplexity",
        "perplexity_per_word",
        "bits_per_byte",
        "ci_low",
        "ci_high",
    ]
    final = {f"{split}/{name}": splits[split][name] for split in ("valid", "test") for name in names}
    judged = ["token_accuracy_at_1", "token_accuracy_at_5", "word_accuracy", "expected_calibration_error"]
    final |= {f"test/{name}": splits["test"][name] for name in judged}
    final |= {"system/train_seconds": run["train_seconds"], "system/train_tokens_per_s": run["train_tokens_per_s"]}
    found = json.loads((RUN / "examination.json").read_text())
    final |= {f"chapter/{name}": values["chapter"] for name, values in found["measures"].items()}
    final["chapter/flagged"] = 0.0
    steps = dict.fromkeys(final, 0) | {"valid/perplexity": run["steps"]}  # the end of its curve
    return points | {(key, value, round(run["finished"] * 1000), steps[key]) for key, value in final.items()}


def test_mlflow_shows_what_the_files_say(study: Path) -> None:
    record = track()
    (run,) = runs_of(record)
    assert (run.info.run_id, run.info.run_name) == (record["run_id"], NAME)
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", 1_000_000, 1_190_500)
    assert points_in_mlflow(record, run) == points_of_files(provenance())
    assert run.data.metrics["test/bits_per_character"] == 2.08
    assert run.data.params["model.kind"] == "lstm"
    assert run.data.params["training.max_tokens"] == "2500000"
    assert run.data.params["model.tied"] == "true"
    assert run.data.tags["mlflow.parentRunId"] == record["parent_run_id"]
    assert run.data.tags["mlflow.source.git.commit"] == "abc123"
    assert {name: run.data.tags[name] for name in ("run_key", "model", "tokenizer", "device", "code")} == {
        "run_key": provenance()["run_key"],
        "model": "lstm",
        "tokenizer": "unigram-2k",
        "device": "cpu",
        "code": "c0de",
    }
    assert "**2.080 bits per character** (95 %: 2.059 to 2.103)" in run.data.tags["mlflow.note.content"]


def test_the_runs_of_a_search_share_a_tag_and_have_its_values_as_parameters(study: Path) -> None:
    provenance(search={"name": "sizes", "values": {"model.hidden": 384, "embedding": "skip-gram"}})
    (run,) = runs_of(track())
    assert run.data.tags["search"] == "sizes"
    assert {key: run.data.params[key] for key in ("model.hidden", "embedding")} == {
        "model.hidden": "384", "embedding": "skip-gram",
    }  # fmt: skip


def test_the_dataset_has_the_digest_of_the_token_files(study: Path) -> None:
    record = track()
    (first,) = runs_of(record)[0].inputs.dataset_inputs
    provenance(inputs={"train": "other", "valid": "7b"}, run_key="0" * 16)
    track()
    digests = {one.dataset.digest for run in runs_of(record) for one in run.inputs.dataset_inputs}
    assert first.dataset.name == "austen"
    assert len(digests) == 2


def test_the_published_run_is_found_by_its_address(study: Path) -> None:
    found = find_run(f"runs:/{track()['run_id']}/model")
    assert (found.name, found.study) == (NAME, "austen")
    assert found.tokenizer.read_bytes() == b"pieces"
    assert found.model.read_bytes() == (RUN / "model.safetensors").read_bytes()


def test_artifacts_are_copies_of_the_files(study: Path) -> None:
    record = track()
    folder = Path("results/mlartifacts/austen") / record["run_id"] / "artifacts"
    copies = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    originals = {
        "model/model.safetensors": RUN / "model.safetensors",
        "model/run.json": RUN / "run.json",
        "chapter/chapter.md": RUN / "chapter.md",
        "chapter/chapter.json": RUN / "chapter.json",
        "evaluation/metrics.json": RUN / "metrics.json",
        "evaluation/predictions.csv": RUN / "predictions.csv",
        "evaluation/examination.json": RUN / "examination.json",
        "evaluation/blocks.csv": RUN / "blocks.csv",
        "evaluation/profile.json": RUN / "profile.json",
        "tokenizer/tokenizer.model": TOKENS / "tokenizer.model",
        "model/tokenizer.model": TOKENS / "tokenizer.model",
        "tokenizer/tokens.json": TOKENS / "tokens.json",
        "figures/curve.png": study / "curve.png",
    }
    assert {name: path.read_bytes() for name, path in copies.items()} == {
        name: path.read_bytes() for name, path in originals.items()
    }


def test_publishing_twice_gives_one_run(study: Path) -> None:
    record = track()
    first = (RUN / "mlflow.json").read_bytes()
    track()
    assert (RUN / "mlflow.json").read_bytes() == first
    (run,) = runs_of(record)
    client = MlflowClient(record["tracking_uri"])
    assert len(client.get_metric_history(run.info.run_id, "train/loss_nats")) == 122
    assert len(run.inputs.dataset_inputs) == 1


def test_a_run_that_was_published_in_part_is_completed(study: Path) -> None:
    record = track()
    client = MlflowClient(record["tracking_uri"])
    client.delete_run(record["run_id"])
    origin = Path("results/.mlflow-origin").read_text()
    tags = {"run_key": record["run_key"], "nextchapter.origin": origin}
    part = client.create_run(record["experiment_id"], start_time=1_000_000, tags=tags, run_name=NAME).info.run_id
    event = json.loads((RUN / "events.jsonl").read_text().splitlines()[1])
    loss = event["metrics"]["train/loss_nats"]
    client.log_metric(part, "train/loss_nats", loss, round(event["time"] * 1000), event["step"])
    record = track()
    (run,) = runs_of(record)
    assert (run.info.run_id, run.info.status) == (part, "FINISHED")
    assert points_in_mlflow(record, run) == points_of_files(provenance())
    assert [one.dataset.name for one in run.inputs.dataset_inputs] == ["austen"]


@pytest.mark.parametrize("leftover", ["point", "parameter", "start"])
def test_what_an_earlier_attempt_left_is_replaced(study: Path, leftover: str) -> None:
    record = track()
    client = MlflowClient(record["tracking_uri"])
    match leftover:
        case "point":
            client.log_metric(record["run_id"], "train/loss_nats", 9.5, timestamp=990_000, step=10)
        case "parameter":
            client.log_param(record["run_id"], "training.forgotten", "1")
        case "start":
            events = (RUN / "events.jsonl").read_text().splitlines()[1:]
            (RUN / "events.jsonl").write_text("\n".join(events) + "\n")
    again = track()
    (run,) = runs_of(again)
    assert run.info.run_id == again["run_id"] != record["run_id"]
    assert points_in_mlflow(again, run) == points_of_files(provenance())
    assert client.get_run(record["run_id"]).info.lifecycle_stage == "deleted"


def test_runs_of_an_older_configuration_are_marked_and_kept(study: Path) -> None:
    old = track()
    client = MlflowClient(old["tracking_uri"])
    client.update_run(old["run_id"], status="RUNNING")
    provenance(run_key="0" * 16)
    new = track()
    assert {run.info.run_id: run.data.tags["nextchapter.superseded"] for run in runs_of(new)} == {
        old["run_id"]: "true",
        new["run_id"]: "false",
    }
    assert client.get_run(old["run_id"]).info.status == "KILLED"


def test_runs_of_others_in_the_same_store_are_left_alone(study: Path) -> None:
    record = track()
    client = MlflowClient(record["tracking_uri"])
    tags = {"run_key": record["run_key"], "nextchapter.origin": "elsewhere"}
    other = client.create_run(record["experiment_id"], tags=tags, run_name=NAME).info.run_id
    assert track()["run_id"] == record["run_id"]
    assert client.get_run(other).info.status == "RUNNING"
    assert client.get_run(other).info.lifecycle_stage == "active"
    assert "nextchapter.superseded" not in client.get_run(other).data.tags


def test_a_store_that_someone_has_deleted_is_made_again(study: Path) -> None:
    Path("results/mlflow.db").unlink()
    Path("results/austen/mlflow.json").write_text(json.dumps({"experiment_id": "77", "published": True}))
    record = track()
    assert [run.info.run_name for run in runs_of(record)] == [NAME]


def test_a_server_out_of_reach_is_a_warning(study: Path) -> None:
    record = track("http://127.0.0.1:9")
    assert (record["published"], record["failed_attempts"]) == (False, 1)
    assert "Connection refused" in record["reason"]
    assert "not published to MLflow" in Path("logs/track_run.log").read_text()


def test_a_score_without_an_interval_is_published_without_one(study: Path) -> None:
    metrics = json.loads((RUN / "metrics.json").read_text())
    metrics["splits"]["test"] |= {"ci_low": None, "ci_high": None}
    (RUN / "metrics.json").write_text(json.dumps(metrics))
    (run,) = runs_of(track())
    assert "test/ci_low" not in run.data.metrics
    assert "bits per character** and perplexity" in run.data.tags["mlflow.note.content"]
