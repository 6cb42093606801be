"""What checkouts and users share (docs/cache.md): two that start together, and a third that comes later.

The three are checkouts of their own; where the tests run as root they belong to three users of one group.
"""

import os
import re
import runpy
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import snakemake

from nextchapter.store.checksums import CHECKSUMS, record_checksum
from nextchapter.store.files import sha256_of

WORKFLOW_TESTS = runpy.run_path(str(Path(__file__).with_name("conftest.py")))
PACKAGES = Path(snakemake.__file__).parents[1]
GROUP = 54321
USERS = (54322, 54323, 54324)
EMBEDDINGS = {"counted": {"kind": "glove", "tokenizer": "tiny", "dimensions": 4, "window": 4, "epochs": 2}}
RESULTS = [
    "tokens/tiny/tokenizer.model", "tokens/tiny/tokens.json", "tokens/tiny/train.bin", "tokens/tiny/test.offsets.bin",
    "embeddings/counted/cooccurrences.bin", "embeddings/counted/vectors.safetensors",
]  # fmt: skip
SHARED = {"train_tokenizer", "encode_corpus", "count_cooccurrences", "train_embedding"}
OWN = {"fetch_books", "clean_books", "find_duplicates", "split_corpus"}


class Library(SimpleHTTPRequestHandler):
    """Serves the files of a folder, and writes down which."""

    asked: list[str]

    def log_message(self, *arguments: Any) -> None:
        self.asked.append(self.path)


@contextmanager
def library(folder: Path) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Handler", (Library,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


class Colleagues:
    """Three checkouts, the folder that they share, and a library that knows what they asked for."""

    def __init__(self, folder: Path, address: str, asked: list[str]) -> None:
        self.asked, self.cache = asked, folder / "shared"
        self.cache.mkdir()
        python = _python_for_all(folder) if os.geteuid() == 0 else None
        self.are_many = python is not None
        book = folder / "library/book.txt"
        source = {"kind": "url", "files": [{"url": f"{address}/book.txt", "sha256": sha256_of(book)}]}
        self.projects = [
            WORKFLOW_TESTS["Project"](folder / name / "checkout") for name in ("first", "second", "third, elsewhere")
        ]
        for project, user in zip(self.projects, USERS, strict=True):
            project.configure(corpus={"source": source}, embeddings=EMBEDDINGS, study="shelf")
            project.environment |= {"HOME": str(project.folder), "LOGNAME": f"user {user}"}
            if python is not None:
                project.interpreter = str(python)
                project.environment["PYTHONPATH"] += f"{os.pathsep}{PACKAGES}"
                for path in (project.folder, *project.folder.rglob("*")):
                    shutil.chown(path, user, user)
        if self.are_many:
            os.chown(self.cache, 0, GROUP)
            self.cache.chmod(0o2770)

    def call(self, number: int, *arguments: str) -> Any:
        """Start Snakemake in a checkout as its user, whose umask lets nobody else read a file."""
        user = {"user": USERS[number], "group": USERS[number], "extra_groups": [GROUP]} if self.are_many else {}
        files = [f"results/shelf/{name}" for name in RESULTS]
        call = ["--cache", str(self.cache), "--cores", "1", "--", *arguments, *files]
        return self.projects[number].start(*call, module="nextchapter.launch", umask=0o077, **user)

    def run(self, number: int, *arguments: str) -> str:
        with self.call(number, *arguments) as process:
            output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def plant(self, number: int, name: str, content: bytes) -> None:
        """Leave an earlier result in a checkout, with its checksum."""
        path = self.projects[number].folder / "results/shelf" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        record_checksum(path)
        if self.are_many:
            for made in (path, *path.parents[:3], path.parent / CHECKSUMS, path.parent / CHECKSUMS / path.name):
                shutil.chown(made, USERS[number], USERS[number])

    def ran(self, number: int) -> set[str]:
        """Return the stages that have done work in a checkout: each has said something in its log."""
        stages = (self.projects[number].folder / "logs").iterdir()
        return {stage.name for stage in stages if any(log.stat().st_size for log in stage.rglob("*.log"))}

    def bytes_of(self, number: int) -> list[bytes]:
        return [(self.projects[number].folder / "results/shelf" / name).read_bytes() for name in RESULTS]

    def missed(self, number: int) -> set[str]:
        """Return the files, the first of each step, that a dry run does not find in the cache."""
        told = re.findall(r"results/shelf/\S+/(\S+) will be (\w+)", self.run(number, "-n", "--forceall"))
        assert len(told) == len(SHARED)
        return {file for file, what in told if what == "written"}


def _python_for_all(folder: Path) -> Path | None:
    """Return a Python of this version that every user may start, by a link in a folder; None where there is none."""
    found = (sys.executable, shutil.which(f"python{sys.version_info[0]}.{sys.version_info[1]}", path="/usr/bin"))
    for python in filter(None, found):
        if _is_open_to_all(PACKAGES) and _is_open_to_all(Path(python).resolve()):
            (folder / "bin").mkdir()
            (folder / "bin/python").symlink_to(Path(python).resolve())
            return folder / "bin/python"
    return None


def _is_open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


@pytest.fixture(scope="module")
def colleagues() -> Iterator[Colleagues]:
    """Return the checkouts after the first two have run at once."""
    folder = Path(tempfile.mkdtemp())  # pytest's own are closed to other users
    folder.chmod(0o755)
    WORKFLOW_TESTS["write_book"](folder / "library/book.txt", chapters=12, seed=0)
    try:
        with library(folder / "library") as (address, asked):
            group = Colleagues(folder, address, asked)
            running = [group.call(number) for number in (0, 1)]
            told = [process.communicate()[0] for process in running]
            assert [process.returncode for process in running] == [0, 0], "\n".join(told)
            yield group
    finally:
        shutil.rmtree(folder)


def test_two_that_start_together_fill_it_with_one_set_of_files(colleagues: Colleagues) -> None:
    assert colleagues.bytes_of(0) == colleagues.bytes_of(1)
    results, downloads = sorted(colleagues.cache.iterdir(), key=lambda path: path.name, reverse=True)
    assert len(list(filter(Path.is_file, results.iterdir()))) == 1 + 7 + 1 + 2
    assert len(list(downloads.iterdir())) == 1
    assert "Nothing to be done" in colleagues.run(0, "-n")


def test_a_third_fetches_tokenizes_and_embeds_nothing(colleagues: Colleagues) -> None:
    asked = len(colleagues.asked)
    colleagues.plant(2, "embeddings/counted/embedding.json", b"of an earlier configuration")
    assert "not what was written" not in colleagues.run(2)
    assert len(colleagues.asked) == asked > 0
    assert colleagues.ran(0) | colleagues.ran(1) == OWN | SHARED
    assert colleagues.ran(2) == OWN
    assert colleagues.bytes_of(2) == colleagues.bytes_of(0)
    assert "Nothing to be done" in colleagues.run(2, "-n")


@pytest.mark.parametrize(
    ("edits", "missed"),
    [
        ({"embeddings/glove.py": ("import torch", "import torch, os"), "models/lstm.py": ("gates = 4", "gates = 5")},
         {"vectors.safetensors"}),
        ({"corpus/splits.py": ("SPLITS =", "UNUSED = 1\nSPLITS =")},
         {"tokenizer.model", "tokens.json", "cooccurrences.bin", "vectors.safetensors"}),
    ],
)  # fmt: skip
def test_a_changed_line_misses_it_where_the_line_matters(
    colleagues: Colleagues, edits: dict[str, tuple[str, str]], missed: set[str]
) -> None:
    source = colleagues.projects[2].folder / "src/nextchapter"
    kept = {module: (source / module).read_text() for module in edits}
    for module, (old, new) in edits.items():
        assert old in kept[module]
        (source / module).write_text(kept[module].replace(old, new, 1))
    try:
        assert colleagues.missed(2) == missed
    finally:
        for module, text in kept.items():
            (source / module).write_text(text)


def test_without_the_folder_nothing_starts(colleagues: Colleagues) -> None:
    project = colleagues.projects[2]
    with project.start("--cache", f"{colleagues.cache}, misspelt", module="nextchapter.launch") as process:
        output, _ = process.communicate()
    assert process.returncode == 1
    assert "misspelt'; it must be a folder in which you may read and write" in output
