"""A study that trains while the server refuses it, or dies: training goes on, and the next call brings everything."""

import os
import runpy
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nextchapter.store.events import read_events
from nextchapter.store.files import read_json

ROOT = Path(__file__).parents[2]
WORKFLOW_TESTS = runpy.run_path(str(ROOT / "tests/workflow/conftest.py"))
CLUSTER_TESTS = runpy.run_path(str(ROOT / "tests/cluster/conftest.py"))
TRAINING = WORKFLOW_TESTS["TRAINING"]
LONG_TRAINING = {**TRAINING, "max_steps": None, "max_seconds": 60, "checkpoint_every_s": 0.5}
"""Long enough to be met in its middle on any machine."""
RUNS = ["elman.s1", "lstm.s1"]
RECORDS = [f"runs/{run}/mlflow.json" for run in RUNS]


class Project(WORKFLOW_TESTS["Project"]):
    """A project of one book whose runs are sent to the server as they train."""

    def __init__(self, folder: Path, address: str, credentials: dict[str, str]) -> None:
        super().__init__(folder)
        shutil.rmtree(self.books)
        WORKFLOW_TESTS["write_book"](self.books / "a book.txt", chapters=12, seed=0)
        self.tracking = {"uri": address, "live": True, "every_s": 0.1}
        self.configure(training=TRAINING, tracking=self.tracking)
        self.environment.update(credentials)

    def files(self, names: list[str]) -> list[str]:
        return ["--", *(str(self.results.relative_to(self.folder) / name) for name in names)]

    def records(self) -> list[dict[str, Any]]:
        return [read_json(self.results / name) for name in RECORDS]

    def points(self, run: str) -> Counter[tuple[str, float, int, int]]:
        """Return the curves of a run as its file has them."""
        return Counter(
            (key, value, round(event["time"] * 1000), event["step"])
            for event in read_events(self.results / "runs" / run / "events.jsonl")
            for key, value in event.get("metrics", {}).items()
        )


@pytest.fixture(scope="module")
def project(server: Any, credentials: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    return Project(tmp_path_factory.mktemp("outage") / "project", server.address, credentials)


def live_points(postgres: Any, run: str) -> int:
    query = f"SELECT count(*) FROM metrics JOIN runs USING (run_uuid) WHERE runs.name = '{run}'"  # noqa: S608
    return postgres.rows(query)[0][0]


def held_points(postgres: Any, run_id: str) -> Counter[tuple[str, float, int, int]]:
    query = f"SELECT key, value, timestamp, step FROM metrics WHERE run_uuid = '{run_id}'"  # noqa: S608
    return Counter(postgres.rows(query))


def test_a_wrong_password_is_told_and_training_goes_on(project: Project) -> None:
    right = project.environment["MLFLOW_TRACKING_PASSWORD"]
    project.environment["MLFLOW_TRACKING_PASSWORD"] = "not hers, surely"  # noqa: S105
    code, output = project.snakemake(*project.files(RECORDS))
    reason = "wrong user or password; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD give them"
    assert code == 0, output
    assert f"not published to MLflow: {project.tracking['uri']}: {reason}; the results are complete" in output
    assert [record["published"] for record in project.records()] == [False, False]
    assert all((project.results / "runs" / run / "model.safetensors").is_file() for run in RUNS)

    project.environment["MLFLOW_TRACKING_PASSWORD"] = right
    planned = project.planned(*project.files(RECORDS))
    assert planned == [f"track_run {run}" for run in RUNS]
    code, output = project.snakemake(*project.files(RECORDS))
    assert code == 0, output
    assert [record["published"] for record in project.records()] == [True, True]


def test_a_server_killed_in_mid_training(project: Project, server: Any, postgres: Any) -> None:
    run, record = RUNS[0], RECORDS[0]
    project.configure(training=LONG_TRAINING, tracking=project.tracking)
    with project.start("--cores", "1", "--config", f"books={project.books}", *project.files([record])) as study:
        training = freeze_live_training(project, run, postgres)
        server.kill()
        killed = time.time()
        os.kill(training, signal.SIGCONT)
        output, _ = study.communicate()
    assert study.returncode == 0, output
    assert "no live curves in MLflow" in output
    assert not read_json(project.results / record)["published"]
    *_, last = read_events(project.results / "runs" / run / "events.jsonl")
    assert last["time"] > killed

    server.start()
    code, output = project.snakemake(*project.files([record]))
    assert code == 0, output
    assert read_json(project.results / record)["published"]
    held = held_points(postgres, read_json(project.results / record)["run_id"])
    expected = project.points(run)
    assert set(held.values()) == {1}
    assert {point: held[point] for point in expected} == expected
    bits = read_json(project.results / "runs" / run / "metrics.json")["splits"]["test"]["bits_per_character"]
    assert bits in [value for key, value, *_ in held if key == "test/bits_per_character"]


def freeze_live_training(project: Project, run: str, postgres: Any) -> int:
    """Stop the clock of a training some of whose points have arrived; return its process."""
    before, frozen = live_points(postgres, run), []

    def freeze() -> list[int]:
        for name, process in CLUSTER_TESTS["training_processes"](project.folder):
            if name == run and live_points(postgres, run) > before:
                os.kill(process, signal.SIGSTOP)
                frozen.append(process)
        return frozen

    CLUSTER_TESTS["wait_for"](freeze, seconds=300)
    return frozen[0]
