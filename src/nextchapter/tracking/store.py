"""The experiment of a study in an MLflow store, and the few calls that publishing takes."""

import getpass
import logging
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request
from sqlalchemy.exc import SQLAlchemyError

from nextchapter.spec.base import canonical_json
from nextchapter.store.files import write_text
from nextchapter.store.locks import LOCKS
from nextchapter.tracking.address import (
    ARTIFACTS,
    SHARED_VIEW,
    TrackingError,
    is_server,
    public_reason,
    public_uri,
    sqlite_path,
)
from nextchapter.tracking.points import Point

ORIGIN_FILE = Path("results/.mlflow-origin")
KIND = "nextchapter.kind"
ORIGIN = "nextchapter.origin"
RUN_KEY = "run_key"
NOTE = "mlflow.note.content"
PARENT = "mlflow.parentRunId"
SUPERSEDED = "nextchapter.superseded"
CURRENT_RUNS = f"tags.`{KIND}` = 'run' AND tags.`{SUPERSEDED}` = 'false'"
_CURRENT = f"tags.`{KIND}` != 'study' AND tags.`{SUPERSEDED}` = 'false'"
"""Runs and embeddings: all that the view shows."""

_RANKED_BY = "metrics.`test/bits_per_character`"
EXPERIMENT_TAGS = {
    "mlflow.experimentKind": "custom_model_development",
    # What MLflow's button "Share" keeps: without it the page shows the study's own run alone, and no score.
    f"mlflow.sharedViewState.{SHARED_VIEW}": canonical_json(
        {
            "searchFilter": _CURRENT,
            "orderByKey": _RANKED_BY,
            "orderByAsc": True,
            "selectedColumns": [
                "params.`parameters`",
                _RANKED_BY,
                "metrics.`test/perplexity`",
                "metrics.`valid/loss_nats`",
                "metrics.`intrinsic/wordsim353_spearman`",
            ],
        }
    ),
}

_POINTS_PER_BATCH, _PARAMETERS_PER_BATCH, _TAG_CHARACTERS = 200, 100, 5000
_BUSY_S, _HEALTH_TIMEOUT_S, _LOCK_TIMEOUT_S = 20, 5, 60

_REFUSALS = {
    "UNAUTHENTICATED": "wrong user or password; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD give them",
    "PERMISSION_DENIED": "this user may not write to the study's experiment; whoever runs the server can allow it",
}
"""What a server that asks for a password answers, in our words; see docs/mlflow.md."""

# What goes wrong comes back as an exception and is told once, in our own words.
for _name in ("mlflow", "alembic", "sqlalchemy", "urllib3.connectionpool"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Experiment:
    """The experiment of a study."""

    client: MlflowClient
    experiment_id: str
    parent_run_id: str
    """The run that stands for the study; the study's runs are its children."""
    origin: str
    """Tells these results from those of others in the same store, which are left alone."""

    def find_runs(self, condition: str) -> list[Run]:
        """Return the runs of this study that meet a condition in MLflow's search language, newest first."""
        return _find_runs(self.client, self.experiment_id, self.origin, condition)

    def create_run(self, name: str, start_ms: int, tags: Mapping[str, str]) -> str:
        """Create a run under the study's own; return its id."""
        linked = {KIND: "run", PARENT: self.parent_run_id, SUPERSEDED: "false", **tags}
        return _create_run(self.client, self.experiment_id, self.origin, name, start_ms, linked)

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Add points to a run; requests are short, so that a server with many writers answers each in time."""
        metrics = [Metric(point.key, point.value, point.time_ms, point.step) for point in points]
        for first in range(0, len(metrics), _POINTS_PER_BATCH):
            self.client.log_batch(run_id, metrics=metrics[first : first + _POINTS_PER_BATCH])

    def log_parameters(self, run_id: str, parameters: Mapping[str, str]) -> None:
        """Add parameters to a run; MLflow refuses another value for one that is there."""
        params = [Param(key, value) for key, value in parameters.items()]
        for first in range(0, len(params), _PARAMETERS_PER_BATCH):
            self.client.log_batch(run_id, params=params[first : first + _PARAMETERS_PER_BATCH])

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run, at most 100."""
        self.client.log_batch(run_id, tags=[RunTag(key, value[:_TAG_CHARACTERS]) for key, value in tags.items()])

    def log_files(self, run_id: str, files: Mapping[str, Sequence[Path]]) -> None:
        """Copy files to the artifacts of a run, by folder there; the empty name is their root."""
        for folder, paths in files.items():
            for path in paths:
                self.client.log_artifact(run_id, str(path), folder or None)


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn whatever a store out of reach, damaged, full or closed to this user raises into one `TrackingError`."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        reason = _REFUSALS.get(getattr(error, "error_code", "")) or public_reason(error, uri)
        raise TrackingError(f"{public_uri(uri)}: {reason}") from error


def ensure_experiment(study: str, uri: str) -> Experiment:
    """Return the experiment of a study; store, experiment and parent run are created when they are missing.

    One process at a time: of eight that open a fresh SQLite store together seven crash.

    Raises:
        OSError, MlflowException, SQLAlchemyError, sqlite3.Error: see `store_errors`.
    """
    LOCKS.mkdir(parents=True, exist_ok=True)
    with FileLock(LOCKS / "mlflow.lock", timeout=_LOCK_TIMEOUT_S):
        require_answer(uri)
        client, origin = MlflowClient(uri), _origin()
        experiment_id = _ensure_experiment_id(client, study, uri)
        found = _find_runs(client, experiment_id, origin, f"tags.`{KIND}` = 'study'")
        if found:
            parent_run_id = found[-1].info.run_id
        else:
            parent_run_id = _create_run(client, experiment_id, origin, study, None, {KIND: "study"})
    return Experiment(client, experiment_id, parent_run_id, origin)


def _origin() -> str:
    """Return the id that lies among the results, and moves with them; one is drawn when there is none."""
    if not ORIGIN_FILE.is_file():
        write_text(ORIGIN_FILE, uuid.uuid4().hex)
    return ORIGIN_FILE.read_text(encoding="utf-8")


def require_answer(uri: str) -> None:
    """Ask once, briefly: left to itself, MLflow tries a dead store for minutes."""
    path = sqlite_path(uri)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_BUSY_S)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    elif is_server(uri):
        credentials = get_default_host_creds(uri)  # type: ignore[no-untyped-call]
        http_request(  # type: ignore[no-untyped-call]
            credentials, "/health", "GET", timeout=_HEALTH_TIMEOUT_S, max_retries=0
        )


def _ensure_experiment_id(client: MlflowClient, study: str, uri: str) -> str:
    found = client.get_experiment_by_name(study)
    if found is None:
        # A server says where it keeps artifacts; a database must be told, or takes the current folder.
        place = None if is_server(uri) else (ARTIFACTS / study).absolute().as_uri()
        try:
            return str(client.create_experiment(study, artifact_location=place, tags=EXPERIMENT_TAGS))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return _ensure_experiment_id(client, study, uri)  # another machine was quicker
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    for key, value in EXPERIMENT_TAGS.items():
        if found.tags.get(key) != value:
            client.set_experiment_tag(found.experiment_id, key, value)
    return str(found.experiment_id)


def _find_runs(client: MlflowClient, experiment_id: str, origin: str, condition: str) -> list[Run]:
    own = f"tags.`{ORIGIN}` = '{origin}' and {condition}"
    found: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = client.search_runs(
            [experiment_id], own, order_by=["attributes.start_time DESC"], page_token=token or None
        )
        found, token = [*found, *page], page.token or None
    return found


def _create_run(
    client: MlflowClient,
    experiment_id: str,
    origin: str,
    name: str,
    start_ms: int | None,
    tags: Mapping[str, str],
) -> str:
    own = {ORIGIN: origin, "mlflow.user": _user(), "mlflow.source.name": "nextchapter", **tags}
    run = client.create_run(experiment_id, start_time=start_ms, run_name=name, tags=own)
    return str(run.info.run_id)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
