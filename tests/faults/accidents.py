"""The accidents: each is done to a study at work, or to one that lies still, and tells what it did."""

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psutil
from tests.faults.study import Study, wait_for

from nextchapter.store.checksums import CHECKSUMS

MIB = 1 << 20
FILES = {
    "checkpoint": "../../.work/train_model/*/*/checkpoint.pt",
    "event log of a training": "../../.work/train_model/*/*/events.jsonl",
    "token file": "tokens/*/*.bin",
    "tokenizer": "tokens/*/tokenizer.model",
    "parquet file": "corpus/**/*.parquet",
    "account of the corpus": "corpus/account.json",
    "vectors": "embeddings/*/vectors.safetensors",
    "model.safetensors": "runs/*/model.safetensors",
    "metrics.json": "runs/*/metrics.json",
    "run.json": "runs/*/run.json",
    "chapter.md": "runs/*/chapter.md",
    "checksum": "**/.checksums/*",
    "MLflow record": "runs/*/mlflow.json",
    "MLflow database": "../mlflow.db",
}
"""What is damaged: patterns below the results of the study."""


@dataclass
class Call:
    """A call of `make run` that an accident befalls."""

    study: Study
    process: subprocess.Popen[bytes]
    said_before: int
    """How much earlier calls had said."""

    def said(self) -> str:
        """Return what the calls have said since this one began."""
        return self.study.said_since(self.said_before)

    def descendants(self) -> list[psutil.Process]:
        """Return all processes below this call."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def snakemake(self) -> psutil.Process | None:
        """Return the process of Snakemake."""
        return next((process for process in self.descendants() if process.ppid() == self.process.pid), None)


class Missed(Exception):  # noqa: N818 - no error: the call had ended, or no job was under way
    """The moment has passed; the accident did not happen."""


class WrongOutcomeError(AssertionError):
    """What must hold after an accident does not."""


def demand(holds: object, message: str) -> None:
    """Raise `WrongOutcomeError` unless a condition holds."""
    if not holds:
        raise WrongOutcomeError(message)


def kill_launcher(call: Call, chance: random.Random) -> str:
    """Kill `make run` alone: Snakemake lives on and holds the folder until it ends."""
    os.kill(call.process.pid, signal.SIGKILL)
    call.process.wait()
    outcome = "killed"
    if call.study.processes("-m snakemake") and chance.random() < 0.5:
        code, said = call.study.run()
        was_refused = code == 1 and "another `make run` is at work" in said
        demand(was_refused or code == 0, f"a call beside an orphan gave exit code {code}")
        outcome = "refused a call beside the orphan" if was_refused else "the orphan ended by itself"
    for orphan in call.study.processes("-m snakemake"):
        orphan.kill()
    return outcome


def kill_snakemake(call: Call, chance: random.Random) -> str:
    """Kill Snakemake: its jobs live on as orphans, and the next call meets them."""
    del chance
    snakemake = call.snakemake() or _missed()
    snakemake.kill()
    code = call.process.wait()
    demand(code == 128 + signal.SIGKILL, f"make run gave exit code {code}")
    return "killed"


def kill_job(call: Call, chance: random.Random) -> str:
    """Kill the shell that Snakemake started for a job; the job itself lives on as an orphan."""
    shells = _await(call, lambda: [process for process in call.descendants() if "bash" in _name(process)])
    chance.choice(shells).kill()
    return "killed; " + _end_of(call)


def kill_child(call: Call, chance: random.Random) -> str:
    """Kill the process in which a job does its work."""
    chance.choice(_await(call, call.study.stages)).kill()
    return "killed; " + _end_of(call)


def kill_everything(call: Call, chance: random.Random) -> str:
    """Kill all processes at once, as a power cut does."""
    del chance
    os.killpg(call.process.pid, signal.SIGKILL)
    call.process.wait()
    return "killed"


def run_out_of_memory(call: Call, chance: random.Random) -> str:
    """Take memory away from the largest job: the kernel's kill of it, or allocations that fail."""
    stages = _await(call, call.study.stages)
    try:
        largest = max(stages, key=lambda process: process.memory_info().rss)
        if chance.random() < 0.5:
            largest.kill()  # the very signal of the kernel's out-of-memory killer, to the process that it picks
            return "killed; " + _end_of(call)
        largest.rlimit(psutil.RLIMIT_AS, (largest.memory_info().vms + MIB,) * 2)
    except psutil.NoSuchProcess:
        _missed()
    return "address space capped; " + _end_of(call)


def stop_by_sigterm(call: Call, chance: random.Random) -> str:
    """Ask `make run` to stop, as `kill`, systemd or a container does."""
    del chance
    os.kill(call.process.pid, signal.SIGTERM)
    return _stopped(call, signal.SIGTERM)


def stop_by_ctrl_c(call: Call, chance: random.Random) -> str:
    """Press Ctrl-C: the terminal sends SIGINT to all processes of the call."""
    del chance
    os.killpg(call.process.pid, signal.SIGINT)
    return _stopped(call, signal.SIGINT)


def _stopped(call: Call, number: signal.Signals) -> str:
    """Check that a call ended cleanly, with a checkpoint, and says so."""
    code = call.process.wait()
    if code == 0:
        _missed()
    demand(call.study.wait_until_quiet(), "jobs go on after the call ended")
    if code == -number and not call.said():  # it had not begun yet; a shell gives this end the same number
        return "stopped before it began"
    demand(code == 128 + number, f"exit code {code}, not {128 + number}")
    demand("stopped; what is finished is kept" in call.said(), "nothing says that it was stopped")
    demand(not call.study.litter(), f"left behind: {call.study.litter()}")
    for log in call.study.folder.glob("logs/train_model/*/*.log"):
        if "stopped at step" in log.read_text().splitlines()[-1]:
            checkpoint = call.study.folder / ".work/train_model" / log.parent.name / log.stem / "checkpoint.pt"
            demand(checkpoint.is_file(), f"stopped without a checkpoint: {checkpoint}")
            return f"exit code {code}, training stopped with its checkpoint"
    return f"exit code {code}"


def start_second_call(call: Call, chance: random.Random) -> str:
    """Call `make run` a second time while the first is at work."""
    del chance
    code, said = call.study.run()
    if call.process.poll() is not None and code == 0:
        _missed()
    demand(code == 1 and "another `make run` is at work" in said, f"the second call gave exit code {code}")
    return "refused"


def start_second_snakemake(call: Call, chance: random.Random) -> str:
    """Call Snakemake by hand beside a call at work; half of the time with the lock ignored."""
    study, ignored = call.study, chance.random() < 0.5
    _await(call, study.stages)
    with study.start(*(["--nolock"] if ignored else []), module="snakemake") as second:
        code = second.wait()
    if not ignored and code == 0 and call.process.poll() is not None:
        _missed()
    demand(ignored or code == 1, f"a second Snakemake gave exit code {code}")
    return f"lock ignored, exit code {code}" if ignored else "refused"


@contextmanager
def full_disk(study: Study) -> Iterator[str]:
    """Fill the file system of the study up to the last page."""
    balloon = study.folder.parent / "balloon"
    with balloon.open("wb", buffering=0) as file:
        for size in (MIB, 4096):
            block = bytes(size)
            try:
                while file.write(block) == size:
                    pass
            except OSError:
                continue
    try:
        yield f"filled by {balloon.stat().st_size / MIB:.0f} MB"
    finally:
        balloon.unlink()


@contextmanager
def read_only_results(study: Study) -> Iterator[str]:
    """Make the results read-only, for root too."""
    results = study.folder / "results"
    results.mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", str(results), str(results)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
    try:
        yield "read-only"
    finally:
        study.wait_until_quiet()
        subprocess.run(["umount", str(results)], check=True)


def damage_file(study: Study, kind: str, chance: random.Random) -> tuple[Path, str]:
    """Damage one of the files of a kind, with its time kept or not; return which, and what was done."""
    found = (path for path in study.results.glob(FILES[kind]) if kind == "checksum" or path.parent.name != CHECKSUMS)
    files = sorted(path.resolve() for path in found if path.is_file() and path.stat().st_size)
    path = chance.choice(files) if files else _missed()
    before = path.stat()
    content = bytearray(path.read_bytes())
    how = chance.choice(["truncated", "bit flipped", "zeroed in part", "emptied"])
    place = chance.randrange(len(content))
    if how == "truncated":
        del content[place:]
    elif how == "bit flipped":
        content[place] ^= 1 << chance.randrange(8)
    elif how == "zeroed in part":
        content[place : place + 512] = bytes(len(content[place : place + 512]))
    else:
        content.clear()
    path.write_bytes(content)
    if chance.random() < 0.5:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        how += ", time kept"
    return path, f"{path.relative_to(study.folder)} {how} (at {place:,} of {before.st_size:,} bytes)"


def copy_study(study: Study, results_only: bool) -> Study:
    """Return a copy of the study at another path, in whose place the old one is gone."""
    copy = study.copy(study.folder.with_name(f"{study.folder.name}c"), results_only)
    shutil.rmtree(study.folder)
    return copy


AT_WORK: dict[str, Callable[[Call, random.Random], str]] = {
    "SIGKILL of make run": kill_launcher,
    "SIGKILL of Snakemake": kill_snakemake,
    "SIGKILL of a job": kill_job,
    "SIGKILL of a job's child": kill_child,
    "SIGKILL of all at once": kill_everything,
    "out of memory": run_out_of_memory,
    "SIGTERM": stop_by_sigterm,
    "Ctrl-C": stop_by_ctrl_c,
    "a second make run": start_second_call,
    "a second Snakemake": start_second_snakemake,
}


def _await(call: Call, find: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """Wait until there are such processes; return them."""
    found: list[psutil.Process] = []
    wait_for(lambda: found.extend(find()) or found or call.process.poll() is not None, 60)
    return found or _missed()


def _end_of(call: Call) -> str:
    """Wait until a call has ended that lost a job; return how it did."""
    code = call.process.wait()
    demand(code in (0, 1), f"make run gave exit code {code}")
    return f"exit code {code}"


def _name(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.NoSuchProcess:
        return ""


def _missed() -> NoReturn:
    raise Missed
