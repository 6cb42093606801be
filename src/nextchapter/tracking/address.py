"""Where the store is, and how its address may be shown."""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

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
    if sqlite_path(uri) is not None:
        return uri
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def public_reason(error: Exception, uri: str) -> str:
    """Return why something failed: one line of at most 300 characters, without the address's password."""
    text = str(error).rpartition("(Caused by ")[2].replace(uri, public_uri(uri))  # the cause that urllib3 names
    password = urlsplit(uri).password
    if password:
        text = text.replace(password, "***")
    lines = text.strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
