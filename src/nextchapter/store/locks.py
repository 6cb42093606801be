"""One writer a file: a job that outlived its workflow keeps its lock until it ends."""

import hashlib
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOGGER = logging.getLogger(__name__)
LOCKS = Path(".work/locks")


@contextmanager
def only_writer(output: Path | str, folder: Path = LOCKS) -> Iterator[None]:
    """Hold the lock of an output file; wait, and say for whom, while another process holds it.

    A `kill -9` of Snakemake leaves its jobs alive. The next call starts the same job again: it waits here until the
    orphan has ended, so that no file has two writers.
    """
    name = hashlib.sha256(os.fsencode(Path(output).absolute())).hexdigest()[:24]
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    holder = folder / f"{name}.holder"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        LOGGER.warning(
            "%s is being written by %s, left over from an earlier call; waiting for it to end",
            output,
            holder.read_text() if holder.exists() else "another process",
        )
        lock.acquire()
    try:
        holder.write_text(f"process {os.getpid()} on {platform.node()}")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
