"""Checkpoints: all that a run needs to go on where it stopped, keyed by the run's key.

Their first line is the checksum of the rest: beside the file, as that of other files, it could be older than it.
"""

import hashlib
import io
import logging
from pathlib import Path
from typing import Any

import torch

from nextchapter.store.files import atomic_path, remove_parts

LOGGER = logging.getLogger(__name__)


class CheckpointFile:
    """The one checkpoint of a run; the last good one stays until a newer one is whole."""

    def __init__(self, path: Path, run_key: str) -> None:
        """Name the file and the key that its content must carry."""
        self.path, self.run_key = path, run_key

    def save(self, content: dict[str, Any]) -> None:
        """Replace the checkpoint, atomically."""
        buffer = io.BytesIO()  # torch's own writer does not tell a full disk from other errors
        torch.save({**content, "run_key": self.run_key}, buffer)
        with atomic_path(self.path) as temporary, temporary.open("wb") as file:
            file.write(_checksum_line(buffer.getbuffer()))
            file.write(buffer.getbuffer())

    def load(self) -> dict[str, Any] | None:
        """Return the checkpoint; None if there is none, or a damaged one, or one of another specification or code."""
        content = read_checkpoint(self.path)
        return content if content is not None and content.get("run_key") == self.run_key else None

    def remove(self) -> None:
        """Delete the checkpoint, whosever it is, and parts of one: a run starts anew."""
        self.path.unlink(missing_ok=True)
        self.remove_parts()

    def remove_parts(self) -> None:
        """Delete what a process that was killed left of a checkpoint."""
        remove_parts(self.path)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """Return what a checkpoint holds, whosever it is; None if there is none, or a damaged one."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        line, saved = file.readline(), file.read()
    if line != _checksum_line(saved):
        LOGGER.warning("%s is damaged, its checksum does not fit; what it held is learnt again", path)
        return None
    content: dict[str, Any] = torch.load(io.BytesIO(saved), map_location="cpu", weights_only=True)
    return content


def _checksum_line(saved: bytes | memoryview) -> bytes:
    return f"sha256 {hashlib.sha256(saved).hexdigest()}\n".encode()
