"""Checkpoints: all that a run needs to go on where it stopped, keyed by the run's key."""

import io
from pathlib import Path
from typing import Any

import torch

from nextchapter.store.files import atomic_path


class CheckpointFile:
    """The one checkpoint of a run; the last good one stays until a newer one is whole."""

    def __init__(self, path: Path, run_key: str) -> None:
        """Name the file and the key that its content must carry."""
        self.path, self.run_key = path, run_key

    def save(self, content: dict[str, Any]) -> None:
        """Replace the checkpoint, atomically."""
        buffer = io.BytesIO()  # torch's own writer does not tell a full disk from other errors
        torch.save({**content, "run_key": self.run_key}, buffer)
        with atomic_path(self.path) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self) -> dict[str, Any] | None:
        """Return the checkpoint, or None where there is none, or only one of another specification or code."""
        if not self.path.is_file():
            return None
        content: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        return content if content.get("run_key") == self.run_key else None

    def remove(self) -> None:
        """Delete the checkpoint, whosever it is: a run starts anew."""
        self.path.unlink(missing_ok=True)
