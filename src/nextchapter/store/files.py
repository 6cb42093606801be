"""Atomic writes and checksums."""

import glob
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PREFIX_CHARACTERS = 80
"""So much of a file's name is in that of its temporary file; names may have no more than 255 bytes."""


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block ends without an error.

    The content is on the disk before the name changes, so `path` is the old file or the new one, never a part.

    Raises:
        OSError: the file could not be written; `path` is as it was and nothing is left beside it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target), suffix=".part")
    os.close(descriptor)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def remove_parts(path: Path | str) -> None:
    """Remove what a process that was killed left of a file; nobody else may be writing it."""
    target = Path(path)
    if len(target.name) <= _PREFIX_CHARACTERS:  # the parts of longer names may be another file's
        for part in target.parent.glob(f"{glob.escape(_prefix(target))}{'?' * 8}.part"):
            part.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write text as UTF-8, atomically, line ends untouched."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def write_json(path: Path | str, value: Any) -> None:
    """Write a value as indented JSON with sorted keys, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path | str) -> Any:
    """Return the value in a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sha256_of(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _prefix(target: Path) -> str:
    return f".{target.name[:_PREFIX_CHARACTERS]}."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
