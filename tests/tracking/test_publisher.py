import json
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from nextchapter.store.events import EventLog, read_events
from nextchapter.tracking.address import resolve_uri
from nextchapter.tracking.publisher import RETRY_S, WAITING_BATCHES, LivePublisher, open_publisher

START = {"time": 1000.0, "event": "start", "step": 0}
SPEC = {
    "study": "austen",
    "run": "lstm.s1",
    "seed": 1,
    "tokenizer": "unigram",
    "model": {"kind": "lstm"},
    "training": {"max_steps": 30},
    "tracking": {"uri": None, "live": True, "every_s": 60.0},
}


def train_event(step: int) -> dict[str, Any]:
    return {"time": 1000.0 + step, "event": "train", "step": step, "metrics": {"train/loss_nats": 9.0 - step / 100}}


def publisher(uri: str | None = None, **changes: Any) -> LivePublisher:
    return LivePublisher(**{"study": "austen", "run": "lstm.s1", "run_key": "abc", "uri": uri, **changes})


def runs() -> list[Run]:
    """Return the runs of the experiment, newest first, but the one that stands for the study."""
    client = MlflowClient(resolve_uri(None))
    found = client.search_runs([client.get_experiment_by_name("austen").experiment_id])
    return [run for run in found if run.info.run_name != "austen"]


def steps_of(run: Run) -> list[int]:
    history = MlflowClient(resolve_uri(None)).get_metric_history(run.info.run_id, "train/loss_nats")
    return sorted(point.step for point in history)


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """Return what the package logs; a stage that ran before may have cut it off from the root logger."""
    monkeypatch.setattr(logging.getLogger("nextchapter"), "propagate", True)
    return caplog


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Yield the address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_final_events_of_a_log_arrive_and_the_others_do_not(tracked_project: Path) -> None:
    with publisher(parameters={"model": {"kind": "lstm"}}) as live:
        log = EventLog(Path("events.jsonl"), listeners=(live,))
        log.append("start", 0)
        for step in (10, 20):
            log.append("train", step, {"train/loss_nats": 5.0})
        log.commit()
        log.append("train", 30, {"train/loss_nats": 4.0})
        log.close()
    (run,) = runs()
    assert steps_of(run) == [10, 20]
    assert run.info.run_name == "lstm.s1"
    assert run.info.start_time == round(next(read_events("events.jsonl"))["time"] * 1000)
    assert run.data.tags["run_key"] == "abc"
    assert run.data.params == {"model.kind": "lstm"}
    assert run.info.status == "RUNNING"


def test_points_arrive_while_the_training_goes_on(tracked_project: Path) -> None:
    sent = []

    def wait(timeout: float) -> bool:
        """Stand for the pause between two batches: the training writes on, then ends."""
        sent.append([steps_of(run) for run in runs()])
        live([train_event(10 * len(sent))])
        return len(sent) == 3

    live = publisher(every_s=60.0)
    live._closing.wait = wait
    live([START])
    live._thread.join()
    assert sent == [[[]], [[10]], [[10, 20]]]
    assert [steps_of(run) for run in runs()] == [[10, 20, 30]]


def test_a_resumed_training_goes_on_with_its_run(tracked_project: Path) -> None:
    def fail() -> None:
        with publisher() as live:
            live([START, train_event(10)])
            raise FloatingPointError

    with pytest.raises(FloatingPointError):
        fail()
    assert [run.info.status for run in runs()] == ["FAILED"]
    with publisher() as live:
        live([{"time": 1011.0, "event": "resume", "step": 10}, train_event(20)])
    (run,) = runs()
    assert (run.info.status, steps_of(run)) == ("RUNNING", [10, 20])


def test_a_training_from_the_start_adds_to_no_other_run(tracked_project: Path) -> None:
    for first in (1000.0, 2000.0):
        with publisher() as live:
            live([{**START, "time": first}, train_event(10)])
    assert [steps_of(run) for run in runs()] == [[10], [10]]


def test_track_run_completes_what_was_published_live(tracked_project: Path, results_tree: Callable[..., Path]) -> None:
    from nextchapter.tracking.runs import publish_run, read_contents
    from nextchapter.tracking.store import ensure_experiment

    folder = results_tree(runs={"lstm-384.s1": ("lstm", 4.15, 2.08)}) / "runs/lstm-384.s1"
    provenance = json.loads((folder / "run.json").read_text())
    events = list(read_events(folder / "events.jsonl"))
    parameters = {key: provenance[key] for key in ("model", "training", "seed", "tokenizer")}
    with publisher(run="lstm-384.s1", run_key=provenance["run_key"], parameters=parameters) as live:
        live(events[:50])
    (before,) = runs()
    names = ["run.json", "events.jsonl", "metrics.json", "model.safetensors", "chapter.md", "chapter.json"]
    keys = ["provenance", "events", "metrics", "model", "chapter", "chapter_facts"]
    files = {key: [folder / name] for key, name in zip(keys, names, strict=True)}
    files |= {"predictions": [folder / "predictions.csv"], "tokens": [folder / "run.json"], "tokenizer_model": []}
    files["examination"] = [folder / "examination.json"]
    files |= {"blocks": [folder / "blocks.csv"], "profile": [folder / "profile.json"]}
    publish_run(ensure_experiment("austen", resolve_uri(None)), read_contents({**files, "figures": []}))
    (after,) = runs()
    assert after.info.run_id == before.info.run_id
    assert after.info.status == "FINISHED"
    assert steps_of(after) == list(range(10, 1221, 10))


def test_a_store_out_of_reach_is_told_once(tracked_project: Path, warnings: pytest.LogCaptureFixture) -> None:
    live, attempts = publisher("http://me:hunter2@127.0.0.1:9"), []

    def wait(timeout: float) -> bool:
        """Stand for the pause between two attempts; the training ends after the third."""
        attempts.append(timeout)
        return len(attempts) == 3

    live._closing.wait = wait
    live([START])
    live._thread.join()
    assert attempts == [RETRY_S] * 3
    (message,) = [record.getMessage() for record in warnings.records]
    assert message.startswith("no live curves in MLflow: http://127.0.0.1:9: ")
    assert "hunter2" not in message


def test_a_store_that_comes_back_gets_what_came_since_in_the_same_run(
    tracked_project: Path, warnings: pytest.LogCaptureFixture
) -> None:
    live, pauses = publisher(), iter(["away", "back", "done"])
    store = Path("results/mlflow.db")

    def wait(timeout: float) -> bool:
        """Stand for the pauses: the store goes away in the first, and comes back in the second."""
        match next(pauses):
            case "away":
                store.rename("results/away.db")
                store.mkdir()
                live([train_event(10)])
            case "back":
                assert timeout == RETRY_S
                store.rmdir()
                Path("results/away.db").rename(store)
                live([train_event(20)])
            case "done":
                return True
        return False

    live._closing.wait = wait
    live([START])
    live._thread.join()
    assert [record.levelname for record in warnings.records] == ["WARNING"]
    assert [steps_of(run) for run in runs()] == [[20]]


def test_a_store_that_can_t_be_opened_is_told_once(tracked_project: Path, warnings: pytest.LogCaptureFixture) -> None:
    Path("results/mlflow.db").unlink()
    Path("results/mlflow.db").mkdir()
    with publisher() as live:
        live([START])
    assert [record.levelname for record in warnings.records] == ["WARNING"]


def test_a_server_that_never_answers_keeps_nobody_waiting(tracked_project: Path, silent_server: str) -> None:
    live = publisher(silent_server)
    for step in range(WAITING_BATCHES + 100):
        live([train_event(step)])
    live.close(timeout_s=0.0)
    assert live._thread.is_alive()
    assert live._waiting.qsize() <= WAITING_BATCHES


def test_the_stage_gets_a_publisher_that_shows_its_specification() -> None:
    live = open_publisher(SPEC, "abc", None, 0.1)
    assert live._parameters == {key: SPEC[key] for key in ("model", "training", "seed", "tokenizer")}
