"""`make ui`: MLflow's page of a study, from a server on this machine that ends with Ctrl-C."""

import argparse
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from nextchapter.store.files import read_json
from nextchapter.tracking.address import (
    ARTIFACTS,
    SHARED_VIEW,
    TrackingError,
    is_server,
    public_uri,
    resolve_uri,
    sqlite_path,
)

RESULTS = Path("results")
LOG = Path("logs/mlflow-server.log")
_START_TIMEOUT_S, _HEALTH_TIMEOUT_S, _STOP_TIMEOUT_S, _POLL_S = 120, 5, 10, 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Show a study; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nextchapter.tracking.ui", description=__doc__)
    parser.add_argument("--study", help="name of the study (default: the one that was published last)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=5000, help="port to listen at (default: %(default)s)")
    arguments = parser.parse_args(argv)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        record = find_record(arguments.study)
        if is_server(record["tracking_uri"]):
            _show(page(record["tracking_uri"], record["experiment_id"]))
        else:
            _serve(record, arguments.host, arguments.port)
    except TrackingError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def find_record(study: str | None) -> dict[str, Any]:
    """Return the newest record of a study, or of any study, that is in MLflow.

    Raises:
        TrackingError: nothing has been published, or the store is gone; the message says what to do.
    """
    folders = sorted(RESULTS.glob("*/")) if study is None else [RESULTS / study]
    paths = [path for folder in folders for path in (*folder.glob("mlflow*.json"), *folder.glob("runs/*/mlflow.json"))]
    records: list[dict[str, Any]] = [
        read_json(path) for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True)
    ]
    if not records:
        wanted = "there is no study yet" if study is None else f"there is no study {study!r} in {RESULTS}/"
        raise TrackingError(f"{wanted}; run `make run` first")
    published = next((record for record in records if record["published"]), None)
    if published is None:
        raise TrackingError(f"nothing is in MLflow yet ({records[0]['reason']}); `make run` tries again")
    store = sqlite_path(published["tracking_uri"])
    if store is not None and not store.is_file():
        raise TrackingError(f"{store} is gone; `snakemake --cores 1 --forcerun track_run` publishes all runs again")
    return published


def page(address: str, experiment_id: str) -> str:
    """Return the link to the runs of an experiment; without the view MLflow opens in GenAI mode and hides them."""
    view = f"workflowType=machine_learning&viewStateShareKey={SHARED_VIEW}"
    return f"{address.rstrip('/')}/#/experiments/{experiment_id}/runs?{view}"


def free_port(host: str, port: int) -> int:
    """Return the port, or another one when it is taken.

    Raises:
        TrackingError: no port can be opened at this host.
    """
    for candidate in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise TrackingError(f"--host: found {host!r}; it must be an address of this machine")


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what listens at a name or an address."""
    return ip_address(socket.gethostbyname(host)).is_loopback


def _whole_address(shown: str) -> str:
    """Return the address that a record shows without its password: that of the environment, where it is the one."""
    whole = resolve_uri(None)
    return whole if public_uri(whole) == shown else shown


def _serve(record: dict[str, Any], host: str, port: int) -> None:
    chosen = free_port(host, port)
    if chosen != port:
        print(f"port {port} is taken: {chosen} it is")
    if not is_loopback(host):
        print(
            "all who reach this machine can see and change the runs: the server asks for no password", file=sys.stderr
        )
    with _server(_whole_address(record["tracking_uri"]), host, chosen) as server:
        _show(page(f"http://{host}:{chosen}", record["experiment_id"]))
        print("Ctrl-C ends the server", flush=True)
        server.wait()
    raise TrackingError(f"MLflow's server has ended by itself; see {LOG}")


@contextlib.contextmanager
def _server(uri: str, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run MLflow's server, in a session of its own so that one signal ends it and its workers."""
    command = [sys.executable, "-m", "mlflow", "server", "--artifacts-destination", str(ARTIFACTS.absolute())]
    command += ["--workers", "1", "--host", host, "--port", str(port)]
    # The store goes by the environment: its address may hold a password, and all users see a command line.
    environment = {**os.environ, "MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("wb") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        _wait_for(server, host, port)
        yield server
    finally:
        _stop(server)


def _wait_for(server: subprocess.Popen[bytes], host: str, port: int) -> None:
    end = time.monotonic() + _START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < end:
        with contextlib.closing(http.client.HTTPConnection(host, port, timeout=_HEALTH_TIMEOUT_S)) as connection:
            try:
                connection.request("GET", "/health")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(_POLL_S)
    raise TrackingError(f"MLflow's server did not start; see {LOG}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        try:
            server.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            continue
        return


def _show(link: str) -> None:
    """Print a link, and open it where there is a screen."""
    print(f"the study's runs: {link}", flush=True)
    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(link)


if __name__ == "__main__":
    sys.exit(main())
