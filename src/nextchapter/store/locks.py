"""One writer a file: a job that outlived its workflow keeps its lock until it ends."""

import fcntl
import hashlib
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOGGER = logging.getLogger(__name__)
LOCKS = Path(".work/locks")


@contextmanager
def only_writer(output: Path | str, folder: Path = LOCKS) -> Iterator[None]:
    """Hold the lock of an output file; wait, and say for whom, while another process holds it.

    A `kill -9` of Snakemake leaves its jobs alive. The next call starts the same job again: it waits here until the
    orphan has ended, so that no file has two writers. When the holder dies, the system gives its lock up.

    Raises:
        OSError: the disk has no such locks. A file in the place of one would outlive a holder that is killed.
    """
    name = hashlib.sha256(os.fsencode(Path(output).absolute())).hexdigest()[:24]
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / f"{name}.holder"
    with (folder / f"{name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            LOGGER.warning(
                "%s is being written by %s, left over from an earlier call; waiting for it to end",
                output,
                holder.read_text() if holder.exists() else "another process",
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            holder.write_text(f"process {os.getpid()} on {platform.node()}")
            yield
        finally:
            holder.unlink(missing_ok=True)
