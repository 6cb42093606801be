import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nextchapter.tracking import ui
from nextchapter.tracking.address import TrackingError, public_uri, resolve_uri
from nextchapter.tracking.publisher import LivePublisher
from nextchapter.tracking.store import ensure_experiment


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def write_record(path: str, age: int, **values: object) -> None:
    record = Path("results") / path
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(
        json.dumps({"tracking_uri": resolve_uri(None), "published": True, "failed_attempts": 0, **values})
    )
    os.utime(record, (1_000_000 - age, 1_000_000 - age))


def test_the_newest_study_is_shown_unless_another_is_named(tracked_project: Path) -> None:
    write_record("emma/mlflow.json", 50, experiment_id="1")
    write_record("oz [1900]/mlflow.json", 90, experiment_id="2")
    write_record("oz [1900]/runs/lstm.s1/mlflow.json", 10, experiment_id="3")
    write_record("emma/mlflow-study.json", 5, published=False, reason="no route")
    assert ui.find_record(None)["experiment_id"] == "3"
    assert ui.find_record("emma")["experiment_id"] == "1"


@pytest.mark.parametrize(
    ("study", "message"),
    [
        (None, "there is no study yet; run `make run` first"),
        ("emma", "there is no study 'emma' in results/; run `make run` first"),
    ],
)
def test_before_the_first_run_a_message_says_what_to_do(
    study: str | None, message: str, tracked_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ui.main([] if study is None else ["--study", study]) == 1
    assert capsys.readouterr().err.strip() == message


def test_a_study_that_could_not_be_published_is_told_with_the_reason(tracked_project: Path) -> None:
    write_record("emma/mlflow.json", 1, published=False, reason="no route to host")
    with pytest.raises(TrackingError, match=r"no route to host.*make run"):
        ui.find_record(None)


def test_a_store_that_is_gone_is_told_with_the_remedy(tracked_project: Path) -> None:
    write_record("emma/mlflow.json", 1, experiment_id="1")
    Path("results/mlflow.db").unlink()
    with pytest.raises(TrackingError, match=r"mlflow.db is gone; `snakemake --cores 1 --forcerun track_run`"):
        ui.find_record(None)


def test_a_server_s_own_page_is_linked(
    tracked_project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(ui.webbrowser, "open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    write_record("emma/mlflow.json", 1, tracking_uri="https://team/mlflow/", experiment_id="7")
    assert ui.main([]) == 0
    link = "https://team/mlflow/#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey=nextchapter"
    assert capsys.readouterr().out == f"the study's runs: {link}\n"
    assert opened == [link]


def test_a_port_is_kept_when_it_is_free_and_replaced_when_it_is_taken(taken_port: int) -> None:
    other = ui.free_port("127.0.0.1", taken_port)
    assert other not in (taken_port, 0)
    assert ui.free_port("127.0.0.1", other) == other
    with pytest.raises(TrackingError, match=r"--host: found '192\.0\.2\.1'"):
        ui.free_port("192.0.2.1", 5000)


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [([], False), (["--host", "localhost"], False), (["--host", "0.0.0.0"], True)],  # noqa: S104
)
def test_only_this_machine_is_served_unless_asked_and_a_password_is_on_no_command_line(
    arguments: list[str], warned: bool, tracked_project: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    called: list[tuple[list[str], dict[str, str]]] = []

    class Ended:
        pid = 0

        def __init__(self, command: list[str], env: dict[str, str], **_: object) -> None:
            called.append((command, env))

        def poll(self) -> int:
            return 1

    whole = "postgresql://me:hunter2@db/runs"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", whole)
    monkeypatch.setattr(ui.subprocess, "Popen", Ended)
    monkeypatch.setattr(ui, "_stop", lambda server: None)
    write_record("emma/mlflow.json", 1, tracking_uri=public_uri(whole), experiment_id="1")
    assert ui.main(arguments) == 1
    command, environment = called[0]
    assert command[command.index("--host") + 1] == (arguments[1] if arguments else "127.0.0.1")
    assert "hunter2" not in " ".join(command)
    assert environment["MLFLOW_BACKEND_STORE_URI"] == whole
    assert ("the server asks for no password" in capsys.readouterr().err) == warned


def test_the_server_shows_the_store_takes_runs_and_ends_on_a_signal(tracked_project: Path, taken_port: int) -> None:
    ensure_experiment("austen", resolve_uri(None))
    write_record("austen/mlflow.json", 1, experiment_id="1")
    command = [sys.executable, "-m", "nextchapter.tracking.ui", "--port", str(taken_port)]
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as shown:
        try:
            taken, link = shown.stdout.readline(), shown.stdout.readline()
            address, _, place = link.removeprefix("the study's runs: ").partition("/#/")
            with LivePublisher("austen", "lstm.s1", "abc", address) as live:
                live([{"time": 1.0, "event": "train", "step": 1, "metrics": {"train/loss_nats": 5.0}}])
            client = MlflowClient(address)
            losses = {run.info.run_name: run.data.metrics.get("train/loss_nats") for run in client.search_runs(["1"])}
        finally:
            shown.send_signal(signal.SIGTERM)
    host, _, port = address.removeprefix("http://").rpartition(":")
    assert host == "127.0.0.1"
    assert taken == f"port {taken_port} is taken: {port} it is\n"
    assert place == "experiments/1/runs?workflowType=machine_learning&viewStateShareKey=nextchapter\n"
    assert losses == {"lstm.s1": 5.0, "austen": None}
    assert shown.returncode == 0
    assert ui.free_port("127.0.0.1", int(port)) == int(port)
