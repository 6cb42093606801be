import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nextchapter.stages.create_experiment import main

RECORD = Path("results/austen/mlflow.json")


def create(uri: str | None = None, failed_attempts: int = 0) -> dict[str, object]:
    spec = {"study": "austen", "run": "", "uri": uri, "failed_attempts": failed_attempts}
    assert main(["--spec", json.dumps(spec), "--record", str(RECORD), "--log", "logs/create_experiment.log"]) == 0
    return json.loads(RECORD.read_text())


def test_a_study_gets_one_experiment_and_one_parent_run(tracked_project: Path) -> None:
    record = create()
    first = RECORD.read_bytes()
    create()
    assert RECORD.read_bytes() == first
    assert record["tracking_uri"] == f"sqlite:///{tracked_project}/results/mlflow.db"
    assert (record["published"], record["failed_attempts"]) == (True, 0)
    client = MlflowClient(record["tracking_uri"])
    experiment = client.get_experiment(record["experiment_id"])
    assert experiment.name == "austen"
    assert experiment.artifact_location == (tracked_project / "results/mlartifacts/austen").as_uri()
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    (parent,) = client.search_runs([experiment.experiment_id])
    assert (parent.info.run_id, parent.info.run_name) == (record["parent_run_id"], "austen")


def test_processes_that_start_together_make_one_store(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    spec = json.dumps({"study": "austen", "run": "", "uri": None})
    command = [sys.executable, "-m", "nextchapter.stages.create_experiment", "--spec", spec, "--record"]
    records = [tmp_path / f"{number}.json" for number in range(2)]
    running = [subprocess.Popen([*command, str(record)], cwd=tmp_path, env=environment) for record in records]
    assert [process.wait() for process in running] == [0, 0]
    contents = {record.read_text() for record in records}
    assert len(contents) == 1
    assert json.loads(contents.pop())["published"]
    with sqlite3.connect(tmp_path / "results/mlflow.db") as store:
        assert store.execute("SELECT name FROM experiments ORDER BY name").fetchall() == [("Default",), ("austen",)]
        assert store.execute("SELECT count(*) FROM runs").fetchall() == [(1,)]
    store.close()


def test_the_environment_names_the_store_only_where_the_configuration_does_not(
    tracked_project: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tracked_project / "other.db").write_bytes(empty_store.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    assert create()["tracking_uri"] == f"sqlite:///{tracked_project}/other.db"
    assert create("sqlite:///results/mlflow.db")["tracking_uri"] == f"sqlite:///{tracked_project}/results/mlflow.db"


def test_a_server_out_of_reach_is_a_warning_that_counts_up_and_shows_no_password(
    tracked_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = create("http://reader:hunter2@127.0.0.1:9", failed_attempts=3)
    assert (record["published"], record["failed_attempts"]) == (False, 4)
    assert record["tracking_uri"] == "http://127.0.0.1:9"
    assert "Connection refused" in str(record["reason"])
    shown = capsys.readouterr()
    log = Path("logs/create_experiment.log").read_text()
    assert "not published to MLflow: http://127.0.0.1:9" in log
    assert "hunter2" not in RECORD.read_text() + log + shown.out + shown.err


def test_success_after_failures_keeps_their_number_so_that_nothing_runs_again(tracked_project: Path) -> None:
    record = create(failed_attempts=4)
    assert (record["published"], record["failed_attempts"]) == (True, 4)


def test_a_damaged_store_is_a_warning(tracked_project: Path) -> None:
    Path("results/mlflow.db").write_bytes(b"no database" * 1000)
    record = create()
    assert not record["published"]
    assert "file is not a database" in str(record["reason"])


def test_a_deleted_experiment_comes_back(tracked_project: Path) -> None:
    record = create()
    client = MlflowClient(record["tracking_uri"])
    client.delete_experiment(record["experiment_id"])
    assert create()["experiment_id"] == record["experiment_id"]
    assert client.get_experiment(record["experiment_id"]).lifecycle_stage == "active"
