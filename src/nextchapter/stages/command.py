"""The command line that all stages share: named files in and out, one JSON specification, one log."""

import argparse
import errno
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nextchapter.spec.base import SpecError
from nextchapter.spec.corpus import SHELF
from nextchapter.spec.redaction import redact
from nextchapter.store.checksums import (
    DamagedFileError,
    forget_checksum,
    record_checksum,
    share_checksum,
    verify_checksum,
)
from nextchapter.store.files import remove_parts
from nextchapter.store.locks import only_writer

LOGGER = logging.getLogger("nextchapter")
STOPPED = 130
"""Exit code of a stage that Ctrl-C or SIGTERM ended, as shells have it."""
_DISK_ERRORS = {
    errno.ENOSPC: "the disk is full: %s. Free some space; what is finished is kept",
    errno.EDQUOT: "the disk is full: %s. Your quota is used up; what is finished is kept",
    errno.EROFS: "the disk is read-only: %s. Make it writable and call again; what is finished is kept",
    errno.EACCES: "no permission: %s. See to it and call again; what is finished is kept",
    errno.EPERM: "no permission: %s. See to it and call again; what is finished is kept",
    errno.ENOSYS: "the disk has no file locks: %s. Put the project on one that has them (docs/cluster.md)",
    errno.ENOLCK: "the disk has no file locks: %s. Put the project on one that has them (docs/cluster.md)",
    errno.ENOTSUP: "the disk has no file locks: %s. Put the project on one that has them (docs/cluster.md)",
}


class StageError(RuntimeError):
    """A stage can't do its work; the message tells the user what was found and what to do."""


@dataclass(frozen=True)
class Job:
    """What a stage is called with."""

    spec: Any
    """The part of the configuration that this stage reads, as plain values."""
    code: str
    """Fingerprint of the code behind the stage."""
    threads: int
    """Processor threads it may use."""
    files: dict[str, list[Path]]
    """The files in and out, by name."""
    label: str = ""
    """How the terminal names it."""
    log: Path | None = None
    """The file for its log."""
    shelf: str = ""
    """Where the books come from; no part of `spec`, since another folder with the same books is no other work."""

    def path(self, name: str) -> Path:
        """Return the one file of that name."""
        (path,) = self.files[name]
        return path

    def paths(self, name: str) -> list[Path]:
        """Return all files of that name, in order."""
        return self.files[name]


def execute(
    work: Callable[[Job], None],
    inputs: Sequence[str],
    outputs: Sequence[str],
    argv: Sequence[str] | None = None,
) -> int:
    """Run a stage from its command line; return its exit code.

    Inputs are compared with their checksums before, and outputs get theirs after the work. A `SpecError`, `StageError`,
    damaged input, or disk that is full or read-only is reported in one message. Anything else is a bug: its traceback
    goes to the terminal and to the log. All give exit code 1; a stage that was stopped gives 130.

    Args:
        work: the stage.
        inputs: names of its input files; `*` behind a name allows any number.
        outputs: names of its output files, likewise; the first is the one whose lock the stage holds.
        argv: the command line; that of the process when absent.
    """
    job = _read_job(work, inputs, outputs, argv)
    handlers = open_log(job)
    given, made = ([path for name in some for path in job.files[name.removesuffix("*")]] for some in (inputs, outputs))
    try:
        with _ended_by_sigterm(), only_writer(made[0]), _checked(given, made):
            work(job)
    except KeyboardInterrupt:
        LOGGER.error("stopped; what is finished is kept")  # noqa: TRY400 - the message is for the user
        return STOPPED
    except (SpecError, StageError, DamagedFileError) as error:
        LOGGER.error("%s", error)  # noqa: TRY400
        return 1
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            LOGGER.exception("failed")
            return 1
        LOGGER.error(_DISK_ERRORS[error.errno], error)  # noqa: TRY400
        return 1
    except Exception:  # the end of the process: whatever it was stands in the log, and Snakemake sees the exit code
        LOGGER.exception("failed")
        return 1
    finally:
        for handler in handlers:
            LOGGER.removeHandler(handler)
            handler.close()
    return 0


def _read_job(
    work: Callable[[Job], None], inputs: Sequence[str], outputs: Sequence[str], argv: Sequence[str] | None
) -> Job:
    """Return what the command line says of a stage; the arguments are those of `execute`."""
    module = work.__module__ if work.__module__ != "__main__" else sys.argv[0]
    stage = Path(module).stem if "/" in module else module.rsplit(".", 1)[-1]
    parser = argparse.ArgumentParser(prog=f"python -m nextchapter.stages.{stage}", allow_abbrev=False)
    parser.add_argument("--spec", type=json.loads, default={}, help="JSON: what the configuration says of it")
    parser.add_argument("--code", default="", help="fingerprint of the code behind it")
    parser.add_argument("--threads", type=int, default=1, help="processor threads to use")
    shelf = os.environ.get(SHELF, "")
    parser.add_argument("--shelf", default=shelf, help="where the books come from, as messages and records call it")
    parser.add_argument("--log", type=Path, help="file for the log; standard error when absent")
    names = [name.removesuffix("*") for name in (*inputs, *outputs)]
    for name, declared in zip(names, (*inputs, *outputs), strict=True):
        many = "*" if declared.endswith("*") else None
        parser.add_argument(f"--{name.replace('_', '-')}", type=Path, nargs=many, required=many is None, default=[])
    arguments = parser.parse_args(argv)
    files = {name: value if isinstance(value := getattr(arguments, name), list) else [value] for name in names}
    label = _label(stage, arguments.spec)
    return Job(arguments.spec, arguments.code, arguments.threads, files, label, arguments.log, arguments.shelf)


@contextmanager
def _checked(given: Sequence[Path], made: Sequence[Path]) -> Iterator[None]:
    """Verify the checksums of what a stage is given, and record those of what it makes; the lock is held."""
    for path in given:
        verify_checksum(path)
        share_checksum(path)
    for path in made:
        remove_parts(path)
        forget_checksum(path)
    yield
    for path in made:
        if path.is_file():
            record_checksum(path)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a stage as Ctrl-C does, so that no half-written file and no lock stays."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _label(stage: str, spec: Any) -> str:
    """Return how the terminal names this job: the stage, and the run or book that it works on."""
    about = spec.get("run") or spec.get("book") or "" if isinstance(spec, dict) else ""
    return f"{stage} {about}".strip()


class _RedactedFormatter(logging.Formatter):
    """Masks what is secret, in messages as in tracebacks: those of the libraries quote addresses and headers."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines, of a record."""
        return redact(super().format(record))


def open_log(job: Job) -> list[logging.Handler]:
    """Send what the stage tells in this process to the terminal, by a line each, and to the log file."""
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(_RedactedFormatter(f"  {job.label.replace('%', '%%'):<26} %(message)s"))
    handlers: list[logging.Handler] = [terminal]
    if job.log is not None:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        file = logging.FileHandler(job.log, encoding="utf-8")
        file.setFormatter(_RedactedFormatter("%(asctime)s %(levelname)-7s %(message)s"))
        handlers.append(file)
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    for handler in handlers:
        LOGGER.addHandler(handler)
    return handlers
