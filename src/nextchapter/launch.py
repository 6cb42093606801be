"""`make run`: one call at a time, stale locks cleared, the workflow run, damaged files made again, the report written.

A `kill -9` of Snakemake leaves a lock behind that refuses the next call. Whether such a lock is stale Snakemake can't
know; here it is known, since only one `make run` can hold the lock of this module, and its Snakemake holds it too.
"""

import argparse
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from nextchapter.flow import STUDY_FILE
from nextchapter.report.summary import summarise_study
from nextchapter.store.checksums import find_damage, find_damaged_files, forget_checksum
from nextchapter.store.shared import VARIABLE
from nextchapter.tracking.address import STORE
from nextchapter.tracking.health import find_store_damage

WORK = Path(".work")
RESOURCES = Path("resources")
DAMAGED = WORK / "damaged"
"""Where damaged files go before they are made again: perhaps somebody changed them on purpose."""
SNAKEMAKE_LOCKS = Path(".snakemake/locks")
PUBLISHING = ("create_experiment", "track_run", "track_embedding", "track_study", "register_champion")
"""The rules that write to MLflow."""
SHOWN_IN_REPORT = (".svg", ".html", ".csv")
"""What Snakemake's report shows are files of these kinds."""
DRY_RUN = re.compile(r"-[kp]*n[kp]*|--dry-?run")
SHELLS = ("bash", "sh")
SIGNALLED = 128
"""Exit codes above are those of signals, as shells have them: 130 for Ctrl-C, 143 for SIGTERM."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the workflow in the current folder; return Snakemake's exit code, or what a signal makes of it."""
    parser = argparse.ArgumentParser(prog="python -m nextchapter.launch", description=__doc__)
    parser.add_argument("--cores", default="all", help="processor cores to use")
    parser.add_argument("--books", help="folder of books to read instead of the configured ones")
    parser.add_argument("--cache", help="folder that others share: what they fetched or learned is not made again")
    parser.add_argument("--report-only", action="store_true", help="write the report of finished work, run nothing")
    parser.add_argument("more", nargs="*", help="further arguments of Snakemake, behind --")
    arguments = parser.parse_args(argv)
    more = list(arguments.more)
    if arguments.books is not None:
        more = _with_books(more, arguments.books)
    if arguments.cache is not None:
        os.environ[VARIABLE] = arguments.cache
    try:
        WORK.mkdir(exist_ok=True)
        with _only_call() as lock:
            code = _Workflow(arguments.cores, more, lock).run(arguments.report_only)
    except BlockingIOError:
        print("another `make run` is at work in this folder; wait for it, or stop it with Ctrl-C", file=sys.stderr)
        return 1
    except OSError as error:  # full, read-only, not ours
        print(f"can't go on: {error}", file=sys.stderr)
        return 1
    if code in (SIGNALLED + signal.SIGINT, SIGNALLED + signal.SIGTERM):
        print("stopped; what is finished is kept, and the next call goes on from there")
    return code


@contextmanager
def _only_call() -> Iterator[int]:
    """Hold the lock of this folder; yield its descriptor, through which Snakemake holds it as long as it lives.

    Raises:
        BlockingIOError: another call holds it.
    """
    descriptor = os.open(WORK / "launch.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


class _Workflow:
    """Calls of Snakemake with the same cores, configuration and targets."""

    def __init__(self, cores: str, more: list[str], lock: int) -> None:
        self._cores, self._more, self._lock = cores, more, lock

    def run(self, report_only: bool) -> int:
        """Make what is missing, then what is damaged, then the report; return the exit code."""
        study_file = WORK / "study"
        study_file.unlink(missing_ok=True)
        os.environ[STUDY_FILE] = str(study_file.resolve())
        if any(SNAKEMAKE_LOCKS.glob("*")):
            print("a lock of Snakemake is left over from a call that was killed; clearing it")
            self._snakemake("--unlock", "--quiet", "all", cores="1")
        # A dry run reads the configuration, and so tells which study it is about.
        code = self._snakemake("--dry-run", "--quiet", "all", cores="1") if report_only else self._snakemake()
        results = Path("results", study_file.read_text(encoding="utf-8")) if study_file.is_file() else None
        if results is None or code not in (0, 1) or any(map(DRY_RUN.fullmatch, self._more)):
            return code
        if not report_only:
            code = self._repair(results, code)
            _tell_store()
        if code or not (results / "leaderboard.csv").is_file():
            if report_only:
                print(
                    f"there is nothing to report yet: {results} has no leaderboard; `make run` makes it",
                    file=sys.stderr,
                )
            return code or int(report_only)
        report = results / "snakemake-report.html"
        if report_only or _is_older(report, [path for path in results.rglob("*") if path.suffix in SHOWN_IN_REPORT]):
            code = self._snakemake("--report", str(report), "--quiet", "all", cores="1")
        print(summarise_study(results, colour=sys.stdout.isatty()))
        return code

    def _repair(self, results: Path, code: int) -> int:
        """Make damaged files again, with all that follows from them; return the exit code, `code` if there are none."""
        damaged = {str(path): damage for folder in (results, RESOURCES) for path, damage in find_damaged_files(folder)}
        if not damaged:
            return code
        made = self._list_outputs()
        again = [path for path in damaged if path in made]
        _tell_damage(damaged, again)
        if not again:
            return code
        for path in again:
            found, kept = Path(path).resolve(), DAMAGED / path  # of a link into Snakemake's cache, what it leads to
            if Path(path).is_symlink():
                forget_checksum(found)
            if found.exists():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(found, kept)
        code = self._snakemake("--forcerun", *again)
        return code or int(any(find_damage(path) is not None for path in again))

    def _list_outputs(self) -> set[str]:
        """Return the files that the workflow makes."""
        command = self._command("--summary", cores="1")
        table = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return {line.split("\t")[0] for line in table.splitlines()}

    def _snakemake(self, *arguments: str, cores: str = "") -> int:
        """Call Snakemake; return its exit code, or that of the signal which ended the call."""
        with (
            _stop_requests() as received,
            subprocess.Popen(self._command(*arguments, cores=cores), pass_fds=(self._lock,)) as process,
        ):
            code = process.wait()
        if received and code:
            return SIGNALLED + received[0]
        return code if code >= 0 else SIGNALLED - code

    def _command(self, *arguments: str, cores: str) -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", cores or self._cores, *self._more, *arguments]


@contextmanager
def _stop_requests() -> Iterator[list[int]]:
    """Yield the list of signals that came; SIGTERM is handed on to Snakemake and its jobs.

    Ctrl-C reaches them by the terminal. They end in their own time, training with a checkpoint, and are waited for:
    the shells around the jobs, which would not wait, are spared.
    """
    received: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        received.append(number)
        if number == signal.SIGTERM:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    if process.name() not in SHELLS:
                        process.terminate()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _tell_damage(damaged: Mapping[str, str], again: Sequence[str]) -> None:
    """Print which files are not what was written, and what is done about it."""
    print("\nThese files are not what was written:")
    for path, damage in damaged.items():
        print(f"  {path}: {damage}")
    if again:
        print(f"They are made again now, and what follows from them. As they were, they are kept in {DAMAGED}/.\n")
    for path in [path for path in damaged if path not in again]:
        print(f"This call does not make {path}; if you need it no longer, delete it.")


def _tell_store() -> None:
    """Print what can be done about a damaged MLflow store: it may hold more than these results, so nothing is done."""
    damage = find_store_damage(STORE)
    if damage is not None:
        print(f"\n{STORE}, MLflow's record of the runs, is damaged: {damage}. The results themselves are whole.")
        print(f"To write it anew from them: rm {STORE} && make run ARGS='--forcerun {' '.join(PUBLISHING)}'")


def _with_books(more: list[str], books: str) -> list[str]:
    """Add `books=` to the `--config` of the arguments, or with one."""
    entry = f"books={books}"
    for place, argument in enumerate(more, start=1):
        if argument in ("--config", "-C"):
            return [*more[:place], entry, *more[place:]]
    return [*more, "--config", entry]


def _is_older(path: Path, than: Sequence[Path]) -> bool:
    """Tell whether a file is missing, or older than one of others."""
    if not path.is_file():
        return True
    return any(other.is_file() and path.stat().st_mtime < other.stat().st_mtime for other in than)


if __name__ == "__main__":
    sys.exit(main())
