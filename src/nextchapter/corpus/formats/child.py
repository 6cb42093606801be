"""Runs another program on a book, within a time limit, and leaves nothing of it behind."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from nextchapter.corpus.document import UnreadableBookError


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    code: int
    """Its exit status, or minus the signal that ended it."""
    output: bytes
    errors: str


def run_child(
    command: Sequence[str | Path],
    data: bytes,
    timeout_s: float,
    largest_output: int,
    files: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Return how a program ended that was given `data` on its standard input.

    It runs as a process group of its own, in a folder that is deleted afterwards.

    Args:
        command: the program and its arguments.
        data: its standard input.
        timeout_s: seconds after which it is killed.
        largest_output: most bytes that it may write to its standard output.
        files: names and contents of the files in its folder.

    Raises:
        UnreadableBookError: it took too long, or wrote too much.
    """
    with tempfile.TemporaryDirectory(prefix="nextchapter-") as folder:
        source, output, errors = (Path(folder, name) for name in ("in", "out", "err"))
        source.write_bytes(data)
        for name, text in files.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        with source.open("rb") as read, output.open("wb") as write, errors.open("wb") as tell:
            child = subprocess.Popen(command, stdin=read, stdout=write, stderr=tell, cwd=folder, start_new_session=True)
            try:
                code = child.wait(timeout_s)
            except subprocess.TimeoutExpired as error:
                raise UnreadableBookError(f"converting it took more than {timeout_s:g} s") from error
            finally:
                _end(child)
        if output.stat().st_size > largest_output:
            raise UnreadableBookError(f"its text is larger than {largest_output:,} bytes")
        return Outcome(code, output.read_bytes(), errors.read_bytes()[:2000].decode("utf-8", "replace").strip())


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill a program that still runs, with all that it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
