"""A project of its own in a temporary folder: the workflow as it stands, a copy of the source, a small shelf."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TRAINING = {
    "max_steps": 40, "max_tokens": None, "batch_size": 4, "truncation": 16, "valid_every_steps": 10, "warmup_steps": 3,
    "checkpoint_every_s": 0.0, "device": "cpu",
}  # fmt: skip
CONFIG = {
    "tokenizers": {"tiny": {"kind": "unigram", "vocabulary_size": 300}},
    "training": TRAINING,
    "writing": {"words_min": 20, "words_max": 40},
    "hopfield": {"neurons": 50, "repeats": 1, "passages": 8, "passage_characters": 16},
    "gradient_lab": {
        "gradients": {"lags": 6, "windows": 4, "jacobian_places": 1, "clipping_steps": 5},
        "tasks": {
            "temporal_order": {"lengths": [10], "steps": 2},
            "networks": {"gru": {"model": {"kind": "gru"}}, "lstm": {"model": {"kind": "lstm"}}},
            "hidden": 4,
        },
    },
    "runs": {
        "elman": {"tokenizer": "tiny", "model": {"kind": "elman", "hidden": 16, "embedding": 8}},
        "lstm": {"tokenizer": "tiny", "model": {"kind": "lstm", "hidden": 16, "embedding": 8}},
    },
}
HOSTILE = "-rf Мои {книги}; touch evil $(touch evil) `touch evil` 'a\" & b\n#%s <i>"
"""The name of the folder of books: all that a shell, Snakemake, YAML or a page could take for something else."""
BOOKS = ("$(touch evil) first", 'b\'s "second"; touch evil #\n`touch evil`', "more/<img src=x onerror=alert(1)>{c}")
SECRETS = {
    "MLFLOW_TRACKING_PASSWORD": "s3cret-password", "MLFLOW_TRACKING_TOKEN": "s3cret-token",
    "PGPASSWORD": "s3cret-database", "HTTPS_PROXY": "http://me:s3cret-proxy@127.0.0.1:9",
    "HTTP_PROXY": "http://me:s3cret-proxy@127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost",
}  # fmt: skip
"""What the environment of a person may hold, and no file."""


class Project:
    """Calls Snakemake in its folder, on its own copy of the source."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.books = folder, folder / HOSTILE
        for name in ("workflow", "profiles", "config", "src/nextchapter"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")
        shutil.copyfile(ROOT / "environment.yml", folder / "environment.yml")
        self.configure()
        for place, name in enumerate(BOOKS):
            write_book(self.books / f"{name}.txt", chapters=5, seed=place)
        inherited = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        self.interpreter = sys.executable
        self.environment = {**inherited, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1", **SECRETS}

    @property
    def results(self) -> Path:
        name = "-rf Мои -книги-; touch evil $(touch evil) `touch evil` 'a- & b-#%s -i-"
        return self.folder / "results" / name

    def configure(self, **changes: Any) -> None:
        """Write the configuration with some of its parts replaced."""
        default = yaml.safe_load((ROOT / "config/config.yaml").read_text())
        text = yaml.safe_dump({**default, **CONFIG, **changes}, allow_unicode=True)
        (self.folder / "config/config.yaml").write_text(text)

    def start(self, *arguments: str, module: str = "snakemake", **options: Any) -> subprocess.Popen[str]:
        command = [self.interpreter, "-m", module, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, text=True, **{**pipes, **options})

    def snakemake(self, *arguments: str) -> tuple[int, str]:
        """Return exit code and output of a call on the shelf."""
        with self.start("--cores", "2", "--config", f"books={self.books}", *arguments) as process:
            output, _ = process.communicate()
        return process.returncode, output

    def planned(self, *arguments: str) -> list[str]:
        """Return `rule` or `rule run` of each job that the next call would do."""
        code, output = self.snakemake("-n", "--quiet", "host", *arguments)
        assert code == 0, output
        jobs, rule = [], ""
        for line in output.splitlines():
            if line.startswith(("rule ", "localrule ")):
                rule = line.split()[1].rstrip(":")
                jobs.append(rule)
            elif line.strip().startswith("wildcards:") and "run=" in line:
                jobs[-1] = f"{rule} {line.split('run=')[1].split(',')[0]}"
        return sorted(job for job in jobs if job != "all")


def write_book(path: Path, chapters: int, seed: int) -> None:
    """Write a book of random sentences in a made-up English."""
    generator = np.random.default_rng(seed)
    words = np.array("the cat sat on a mat and dog ran to her with him in fog it was not so for they had been".split())
    parts = []
    for number in range(1, chapters + 1):
        sentences = [" ".join(generator.choice(words, size=10)).capitalize() + "." for _ in range(24)]
        paragraphs = [" ".join(sentences[start : start + 4]) for start in range(0, 24, 4)]
        parts += [f"CHAPTER {number}", *paragraphs]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n\n".join(parts) + "\n", encoding="utf-8")


@pytest.fixture
def make_project(tmp_path: Path) -> Callable[[], Project]:
    """Return a function that makes the project."""
    return lambda: Project(tmp_path / "project")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project whose study has been run once; tests put back what they change."""
    project = Project(tmp_path_factory.mktemp("finished") / "project")
    code, output = project.snakemake()
    assert code == 0, output
    return project
