"""`make run`: one call at a time, stale locks cleared, the workflow run, its report written.

A `kill -9` of Snakemake leaves a lock behind that refuses the next call. Whether such a lock is stale Snakemake can't
know; here it is known, since only one `make run` can hold the lock of this module.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from nextchapter.flow import STUDY_FILE
from nextchapter.report.summary import summarise_study
from nextchapter.store.shared import VARIABLE

WORK = Path(".work")
SHARED_RULES = ("train_tokenizer", "encode_corpus", "count_cooccurrences", "train_embedding")
"""Those with `cache: True`; without their names Snakemake would not hand the option on to jobs on a cluster."""
SNAKEMAKE_LOCKS = Path(".snakemake/locks")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the workflow in the current folder; return Snakemake's exit code."""
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
    WORK.mkdir(exist_ok=True)
    try:
        with FileLock(WORK / "launch.lock", timeout=0):
            return _run(arguments.cores, more, arguments.report_only)
    except Timeout:
        print("another `make run` is at work in this folder; wait for it, or stop it with Ctrl-C", file=sys.stderr)
        return 1


def _run(cores: str, more: list[str], report_only: bool) -> int:
    study_file = WORK / "study"
    study_file.unlink(missing_ok=True)
    os.environ[STUDY_FILE] = str(study_file.resolve())
    if any(SNAKEMAKE_LOCKS.glob("*")):
        print("a lock of Snakemake is left over from a call that was killed; clearing it")
        _snakemake(["--unlock", "--quiet", "all", "--cores", "1", *more])
    cache = ["--cache", *SHARED_RULES] if os.environ.get(VARIABLE) else []
    code = 0 if report_only else _snakemake([*cache, "--cores", cores, *more])
    results = Path("results", study_file.read_text(encoding="utf-8")) if study_file.is_file() else None
    if code or results is None or not (results / "leaderboard.csv").is_file() or {"-n", "--dry-run"} & set(more):
        return code
    report = results / "snakemake-report.html"
    if report_only or _is_older(report, [results / "leaderboard.csv", results / "chapters.html"]):
        code = _snakemake(["--report", str(report), "--quiet", "all", "--cores", "1", *more])
    print(summarise_study(results, colour=sys.stdout.isatty()))
    return code


def _snakemake(arguments: list[str]) -> int:
    """Call Snakemake; Ctrl-C reaches it and its jobs by the terminal, and this process waits for them."""
    with subprocess.Popen([sys.executable, "-m", "snakemake", *arguments]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def _with_books(more: list[str], books: str) -> list[str]:
    """Add `books=` to the `--config` of the arguments, or with one."""
    entry = f"books={books}"
    if "--config" in more:
        place = more.index("--config") + 1
        return [*more[:place], entry, *more[place:]]
    return [*more, "--config", entry]


def _is_older(path: Path, than: Sequence[Path]) -> bool:
    """Tell whether a file is missing, or older than one of others."""
    if not path.is_file():
        return True
    return any(other.is_file() and path.stat().st_mtime < other.stat().st_mtime for other in than)


if __name__ == "__main__":
    sys.exit(main())
