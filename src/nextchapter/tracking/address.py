"""Where the store is, and how its address may be shown."""

import json
import os
from pathlib import Path

from nextchapter.spec.redaction import HIDDEN, public_address, redact
from nextchapter.spec.tracking import TRACKING

STORE = Path("results/mlflow.db")
ARTIFACTS = Path("results/mlartifacts")
SHARED_VIEW = "nextchapter"
"""The key under which an experiment keeps the view that `make ui` opens."""
_SQLITE = "sqlite:///"


class TrackingError(RuntimeError):
    """The store can't be reached or refuses; the message says which and why, without a password."""


def resolve_uri(uri: str | None) -> str:
    """Return the address of the store: the configured one, MLFLOW_TRACKING_URI, or `results/mlflow.db`.

    The path of a SQLite file is made absolute: MLflow's server runs in another folder.
    """
    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}{STORE}"
    path = sqlite_path(chosen)
    return chosen if path is None else f"{_SQLITE}{path.absolute()}"


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite address, or None for any other."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def is_server(uri: str) -> bool:
    """Return whether an address is that of an MLflow server."""
    return uri.startswith(("http://", "https://"))


def public_uri(uri: str) -> str:
    """Return an address without user, password and query: what may stand in a file or a log."""
    return public_address(uri).removesuffix(f"?{HIDDEN}")


def configured_uri(shown: str | None) -> str | None:
    """Return the address that the configuration names, which a specification shows without its password.

    The whole address comes by the environment: the arguments of a process are seen by all who use the machine, and
    Snakemake keeps them.

    Args:
        shown: what the specification says of it.
    """
    uri: str | None = json.loads(os.environ.get(TRACKING, "{}")).get("uri")
    return uri if uri is not None and public_address(uri) == shown else shown


def public_reason(error: Exception, uri: str) -> str:
    """Return why something failed: one line of at most 300 characters, without the address's password."""
    _, cause, text = str(error).rpartition("(Caused by ")  # which urllib3 names, in brackets
    if cause:
        text = text.removesuffix(")")
    lines = redact(text, {**os.environ, TRACKING: uri}).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
