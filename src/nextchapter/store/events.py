"""The event log of a run: one JSON object a line, appended while it trains.

A record becomes final when the checkpoint that covers it is written (`commit`); a resumed run cuts the log back to
its checkpoint, so that no step stands in it twice. Listeners see final records only.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""`time` (Unix seconds), `event` (its kind), `step`, `metrics` (name to number), and what the kind adds."""
Listener = Callable[[list[Event]], None]


class EventLog:
    """Append-only JSON lines with a commit point."""

    def __init__(self, path: Path, listeners: tuple[Listener, ...] = (), committed_bytes: int = 0) -> None:
        """Open the log and cut it back to `committed_bytes`, the size at the last commit."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._file.truncate(committed_bytes)
        self._file.seek(0)
        self._digest = hashlib.sha256(self._file.read())
        self._listeners = listeners
        self._pending: list[Event] = []

    def append(self, event: str, step: int, metrics: Mapping[str, float] | None = None, **more: Any) -> None:
        """Append one record, stamped with the time now."""
        record: Event = {"time": round(time.time(), 3), "event": event, "step": step, **more}
        if metrics:
            record["metrics"] = dict(metrics)
        line = (json.dumps(record, ensure_ascii=False) + "\n").encode()
        self._file.write(line)
        self._digest.update(line)
        self._pending.append(record)

    def flush(self) -> tuple[int, str]:
        """Bring all records to the disk; return size in bytes and SHA-256 of the log, for the checkpoint to keep."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell(), self._digest.hexdigest()

    def commit(self) -> None:
        """Hand the records since the last commit to the listeners: a checkpoint now covers them."""
        final, self._pending = self._pending, []
        for listener in self._listeners:
            listener(final)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def is_whole(path: Path, committed_bytes: int, sha256: str) -> bool:
    """Tell whether a log begins with what it held at its last commit."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.sha256(file.read(committed_bytes)).hexdigest() == sha256


def read_events(path: Path | str) -> Iterator[Event]:
    """Yield the records of a log."""
    with Path(path).open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
