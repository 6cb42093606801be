"""The tiny study that the faults are made in: started, watched, and compared with one that nobody disturbed."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import yaml
from tests.workflow.conftest import CONFIG, TRAINING, Project

UNTIL = ("evaluate_model", "write_chapter")
"""The rules behind whose files no other of `SAME` comes; figures and pages are left out, they take most of the time."""
SAME = (
    "corpus/**/*.parquet", "tokens/**/*.bin", "tokens/**/tokenizer.model", "embeddings/*/vectors.safetensors",
    "runs/*/model.safetensors", "runs/*/metrics.json", "runs/*/chapter.md",
)  # fmt: skip
"""What has to be equal, byte for byte."""
SETTINGS = {
    **CONFIG,
    "hopfield": None,
    "gradient_lab": None,
    "training": {**TRAINING, "max_steps": 240, "valid_every_steps": 60, "checkpoint_every_s": 0.05},
    "embeddings": {"glove": {"tokenizer": "tiny", "kind": "glove", "dimensions": 8, "epochs": 2}},
    "runs": {
        "elman": {"tokenizer": "tiny", "model": {"kind": "elman", "hidden": 16, "embedding": 8}},
        "lstm": {"tokenizer": "tiny", "embedding": "glove", "model": {"kind": "lstm", "hidden": 16, "embedding": 8}},
    },
}


class Study:
    """A project in a folder of its own, and calls of `make run` in it."""

    def __init__(self, folder: Path, books: Path, name: str) -> None:
        self.folder, self.books, self.results = folder, books, folder / "results" / name
        self.log = folder / "calls.log"
        """What all calls said, one behind the other."""

    @classmethod
    def make(cls, folder: Path) -> "Study":
        """Make a project that has not run yet."""
        project = Project(folder)
        default = yaml.safe_load((folder / "config/config.yaml").read_text())
        (folder / "config/config.yaml").write_text(yaml.safe_dump({**default, **SETTINGS}, allow_unicode=True))
        return cls(folder, project.books, project.results.name)

    def copy(self, folder: Path, results_only: bool = False) -> "Study":
        """Return a copy at another path: of the whole project, or of its results in a project that never ran."""
        left_out = shutil.ignore_patterns(".snakemake", ".work", "logs", "calls.log") if results_only else None
        shutil.copytree(self.folder, folder, symlinks=True, ignore=left_out)
        return Study(folder, self.books, self.results.name)

    def start(self, *arguments: str, module: str = "nextchapter.launch") -> subprocess.Popen[bytes]:
        """Start a call, in a session of its own as a terminal does; `arguments` stand before those of Snakemake."""
        asked = ["--", "--until", *UNTIL] if module == "nextchapter.launch" else ["--until", *UNTIL]
        shelf = ["--books", str(self.books)] if module == "nextchapter.launch" else ["--config", f"books={self.books}"]
        unset = {"MLFLOW_TRACKING_URI", "PYTHONDONTWRITEBYTECODE"}
        environment = {name: value for name, value in os.environ.items() if name not in unset}
        environment |= {"PYTHONPATH": str(self.folder / "src"), "OMP_NUM_THREADS": "1"}
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", module, "--cores", "2", *shelf, *arguments, *asked],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def run(self) -> tuple[int, str]:
        """Return exit code and output of an undisturbed call."""
        before = self.said_bytes()
        with self.start() as process:
            code = process.wait()
        return code, self.said_since(before)

    def said_bytes(self) -> int:
        """Return how much the calls have said so far."""
        return self.log.stat().st_size if self.log.exists() else 0

    def said_since(self, before: int) -> str:
        """Return what the calls have said since then."""
        return self.log.read_bytes()[before:].decode(errors="replace") if self.log.exists() else ""

    def processes(self, *parts: str) -> list[psutil.Process]:
        """Return the processes at work in this folder whose command line holds all of these parts."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.folder) and all(part in " ".join(process.cmdline()) for part in parts):
                    found.append(process)
            except psutil.Error:  # it has ended meanwhile
                continue
        return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]

    def stages(self) -> list[psutil.Process]:
        """Return the jobs' own processes, without the shells that started them."""
        return [process for process in self.processes("nextchapter.stages.") if "bash" not in process.name()]

    def wait_until_quiet(self, seconds: float = 120) -> bool:
        """Wait until nothing is at work in this folder; return whether that came to pass."""
        return wait_for(lambda: not self.processes("nextchapter"), seconds)

    def end(self) -> None:
        """End all that is at work in this folder."""
        for process in self.processes():
            process.send_signal(signal.SIGKILL)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each file that has to be equal."""
        found = {path for pattern in SAME for path in self.results.glob(pattern)}
        return {
            str(path.relative_to(self.results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(found)
        }

    def litter(self) -> list[str]:
        """Return the temporary files that were left behind."""
        return [str(path.relative_to(self.folder)) for path in self.folder.rglob("*.part")]


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    """Wait until a condition holds; return whether it did in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
