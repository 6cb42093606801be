"""`make test-faults`: a hundred accidents at random moments of a tiny study, and what became of it.

The study is killed, stopped, damaged, starved and started again. After each few accidents `make run` must end with
files that are equal, byte for byte, to those of an undisturbed run.
The seed decides which accidents come, where and when; what a kill meets also depends on the speed of the machine.

    python -m tests.faults.campaign --faults 20 --seed 7
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.faults import accidents
from tests.faults.accidents import AT_WORK, FILES, Call, Missed, WrongOutcomeError, demand
from tests.faults.study import Study, wait_for

DISK = "size=700m"
PER_LAP = 8
"""Accidents before the study is brought to its end and compared."""
DAMAGE_SHARE = 0.2
"""Of the accidents between two calls."""
LONGEST_WAIT_S = 40.0


class Campaign:
    """Laps of a few accidents each, and the count of how they ended."""

    def __init__(self, folder: Path, seed: int, disk_is_own: bool) -> None:
        self.folder, self.chance, self.disk_is_own = folder, random.Random(seed), disk_is_own
        self.done: Counter[str] = Counter()
        self.same: Counter[str] = Counter()
        """Those after which the study ended in the same bytes."""
        self.told: Counter[str] = Counter()
        """Of the damaged files, those that the next call named."""
        self._lap: list[str] = []
        self.laps = 0
        self.expected: dict[str, str] = {}
        self.finished: Study | None = None

    def prepare(self) -> None:
        """Run the study once without a disturbance."""
        started = time.monotonic()
        study = Study.make(self.folder / "undisturbed")
        code, said = study.run()
        demand(code == 0, f"the undisturbed study gave exit code {code}:\n{said}")
        self.expected, self.finished = study.digests(), study
        print(f"undisturbed: {len(self.expected)} files, {time.monotonic() - started:.0f} s", flush=True)

    def run(self, faults: int) -> None:
        """Make so many accidents, those at work and those that damage a finished study in turn."""
        while self.done.total() < faults:
            self.laps += 1
            lap = self.disturb_work if self.laps % 2 else self.damage_finished
            lap(min(PER_LAP, faults - self.done.total()))

    def disturb_work(self, count: int) -> None:
        """Start a study from nothing, interrupt it again and again, and let it end."""
        study = Study.make(self.folder / f"lap{self.laps}")
        kinds = [*AT_WORK, *(["full disk", "read-only results"] if self.disk_is_own else [])]
        damaged: list[tuple[str, Path]] = []
        for _ in range(count):
            if self._lap and self.chance.random() < DAMAGE_SHARE:
                self._damage_any(study, damaged)
                continue
            kind = self.chance.choice(kinds)
            if not self._try(kind, lambda kind=kind: self._befall(study, kind)):  # type: ignore[misc]
                break
        self._finish(study, damaged)

    def damage_finished(self, count: int) -> None:
        """Damage files of a finished study, copy it to another path, and call `make run` there."""
        study = self.finished.copy(self.folder / f"lap{self.laps}")  # type: ignore[union-attr]
        damaged: list[tuple[str, Path]] = []
        for _ in range(count):
            self._damage_any(study, damaged)
        if self.chance.random() < 0.5:
            whole = self.chance.random() < 0.5
            study = accidents.copy_study(study, results_only=not whole)
            self._count("copied elsewhere", "all of it" if whole else "the results alone")
        self._finish(study, damaged)

    def _try(self, kind: str, accident: Callable[[], str]) -> bool:
        """Make an accident, and count it; return False if it came too late, or found nothing to happen to."""
        try:
            self._count(kind, accident())
        except Missed:
            print(f"     lap {self.laps}: {kind}: too late, nothing happened", flush=True)
            return False
        return True

    def _count(self, kind: str, outcome: str) -> None:
        self.done[kind] += 1
        self._lap.append(kind)
        print(f"{self.done.total():4} lap {self.laps}: {kind}: {outcome}", flush=True)

    def _befall(self, study: Study, kind: str) -> str:
        """Make one accident to a study at work."""
        if kind == "read-only results":
            return _meet_read_only_results(study)
        call = Call(study, study.start(), study.said_bytes())
        self._wait(call)
        if kind == "full disk":
            with accidents.full_disk(study) as outcome:
                code = call.process.wait()
                study.wait_until_quiet()
            return f"{outcome}, exit code {code}"
        outcome = AT_WORK[kind](call, self.chance)
        if kind.startswith("a second"):
            code = call.process.wait()
            demand(code == 0 or "lock ignored" in outcome, f"the first call gave exit code {code}")
        return outcome

    def _wait(self, call: Call) -> None:
        """Let some time go by, or wait until a file comes that is not there yet, and a moment more."""
        study, patience_s = call.study, self.chance.uniform(0.5, LONGEST_WAIT_S)
        missing = [name for name in self.expected if not (study.results / name).exists()]
        awaited = study.results / self.chance.choice(missing) if missing else None
        sees = self.chance.choice(["clock", "file", "training"])

        def is_due() -> bool:
            if sees == "file" and awaited is not None and awaited.exists():
                return True
            return sees == "training" and bool(study.processes("nextchapter.stages.train_model"))

        wait_for(lambda: call.process.poll() is not None or is_due(), patience_s)
        time.sleep(self.chance.uniform(0, 1))
        if call.process.poll() is not None:
            raise Missed

    def _damage_any(self, study: Study, damaged: list[tuple[str, Path]]) -> None:
        """Damage a file of any kind; add it to those that are."""
        study.wait_until_quiet()
        which = self.chance.choice(list(FILES))
        kind = f"damaged {which}"

        def damage() -> str:
            path, what = accidents.damage_file(study, which, self.chance)
            damaged.append((kind, path.relative_to(study.folder)))
            return what

        self._try(kind, damage)

    def _finish(self, study: Study, damaged: list[tuple[str, Path]]) -> None:
        """Bring a study to its end and compare it with the undisturbed one."""
        study.wait_until_quiet()
        code, said = study.run()
        for kind, path in damaged:
            self.told[kind] += str(path) in study.said_since(0)
        demand(code == 0, f"exit code {code} at the end:\n{said[-4000:]}")
        study.wait_until_quiet()
        found = study.digests()
        different = sorted(
            name for name in self.expected.keys() | found.keys() if self.expected.get(name) != found.get(name)
        )
        demand(not different, f"not as in the undisturbed study: {different}")
        demand(not study.litter(), f"left behind: {study.litter()}")
        print(f"     lap {self.laps}: same bytes", flush=True)
        self.same.update(self._lap)
        self._lap.clear()
        shutil.rmtree(study.folder)

    def table(self) -> str:
        """Return how often each accident happened, and what became of it."""
        rows = ["| accident | times | ended in the same bytes | told by name |", "|---|---|---|---|"]
        for kind, count in sorted(self.done.items()):
            told = str(self.told[kind]) if kind.startswith("damaged") else ""
            rows.append(f"| {kind} | {count} | {self.same[kind]} | {told} |")
        rows.append(f"| in all | {self.done.total()} | {self.same.total()} | |")
        return "\n".join(rows)


def _meet_read_only_results(study: Study) -> str:
    """Run a study whose results can't be written; return how it ended."""
    with accidents.read_only_results(study) as outcome:
        code, said = study.run()
        if code == 0:  # nothing was left to do
            raise Missed
    demand("read-only" in said.lower(), f"read-only results are told so:\n{said[-3000:]}")
    return f"{outcome}, exit code {code}"


def main() -> int:
    """Run the campaign; return 0 when nothing went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.campaign", description=__doc__)
    parser.add_argument("--faults", type=int, default=100, help="accidents in all")
    parser.add_argument("--seed", type=int, default=1, help="which accidents come, where and when")
    parser.add_argument("--keep", action="store_true", help="keep the folder in which something went wrong")
    arguments = parser.parse_args()
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        disk_is_own = _mount(folder, stack)
        campaign = Campaign(folder, arguments.seed, disk_is_own)
        try:
            campaign.prepare()
            campaign.run(arguments.faults)
        except WrongOutcomeError as problem:
            print(f"WRONG: {problem}\nseed {arguments.seed}, lap {campaign.laps}, {campaign.folder}", flush=True)
            if arguments.keep:
                stack.pop_all()
            return 1
        finally:
            print(f"\n{campaign.table()}\n{(time.monotonic() - started) / 60:.0f} minutes, seed {arguments.seed}")
    return 0


def _mount(folder: Path, stack: ExitStack) -> bool:
    """Give the campaign a disk of its own, which may be filled; return whether that was possible."""
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    command = ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        print("full disk and read-only results are left out: mounting a disk needs root")
        return False
    stack.callback(subprocess.run, ["umount", str(folder)], check=False)
    return True


if __name__ == "__main__":
    sys.exit(main())
