"""Large shelves: MB/s of a core in each stage of the corpus, peak memory, and whether time grows as the shelf does.

A shelf of any size is made of the real books in a folder: copies whose words are exchanged, a fifth of them, so that no
two are alike; half of it books of 200 kB, half books of up to 50 MB. Each stage runs in a process of its own, the
shards one after the other; the start of a process, about two seconds, is shown apart. A stage is run several times,
for what else the machine does changes the CPU time of the same work by a third: the middle one counts, the slowest and
the fastest stand beside it, and the load says how busy the machine was.
"""

import argparse
import importlib
import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise, repeat
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from nextchapter.corpus.decoding import decode
from nextchapter.shelf import ShelfFile
from nextchapter.sources import share_out
from nextchapter.store.files import read_json

MB = 1_000_000
SMALL_BOOK, LARGE_BOOK = MB // 5, 50 * MB
EXCHANGED_SHARE = 0.2


class Measured(NamedTuple):
    """What a stage took."""

    stage: str
    runs_s: list[float]
    """CPU seconds of each run."""
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("books", nargs="?", type=Path, default=Path("resources/books"), help="folder of .txt files")
    parser.add_argument("--mb", nargs="+", type=int, default=[10, 100, 1000], help="sizes of the shelves")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each stage; the middle one counts")
    options = parser.parse_args()
    texts = [decode(file.read_bytes()).text.replace("\r\n", "\n") for file in sorted(options.books.rglob("*.txt"))]
    if not texts:
        parser.error(f"no .txt file in {options.books}: name a folder of books")
    print(f"load of the machine, on {os.cpu_count()} cores, before this began: {os.getloadavg()[0]:.1f}")
    print(
        f"{'shelf':>9}{'books':>7}  {'stage':<24}{'CPU':>8}{'MB/s a core':>13}{'peak memory':>13}  slowest to fastest"
    )
    speeds = []
    for size in options.mb:
        with tempfile.TemporaryDirectory() as name:
            books = make_shelf(Path(name), texts, size * MB)
            for stage, runs_s, peak_mb in run_stages(Path(name), options.repeats):
                cpu_s = median(runs_s)
                row = f"{size:>6} MB{books:>7}  {stage:<24}{cpu_s:>6.1f} s"
                if not stage.endswith("(start)"):
                    row += f"{size / cpu_s:>13.1f}{peak_mb:>10.0f} MB"
                    row += f"  {size / max(runs_s):.1f} to {size / min(runs_s):.1f} MB/s"
                print(row, flush=True)
                speeds += [size / cpu_s] if stage == "clean_books" else []
    print(f"cleaning, time for a MB, largest shelf to smallest: {speeds[0] / speeds[-1]:.2f} (1 is linear)")
    print(f"load at the end: {os.getloadavg()[0]:.1f}")


def make_shelf(folder: Path, texts: list[str], size: int) -> int:
    """Write books of `size` bytes in all; return how many."""
    rng = np.random.default_rng(size)
    parts = (exchange_words(text, rng) for copies in repeat(texts) for text in copies)
    written = 0
    number = 0
    while written < size:
        wanted = min(LARGE_BOOK if written < size // 2 else SMALL_BOOK, size // 2, size - written)
        data = "\n\n\n".join(take(parts, wanted)).encode()[:wanted]
        (folder / f"{number:05}.txt").write_text(data.decode(errors="ignore"))
        written += len(data)
        number += 1
    return number


def take(parts: Iterator[str], size: int) -> Iterator[str]:
    """Yield texts until they are `size` bytes."""
    while size > 0:
        part = next(parts)
        size -= len(part.encode())
        yield part


def exchange_words(text: str, rng: np.random.Generator) -> str:
    """Return a text with a fifth of the words in its lines exchanged; headings and line ends stay."""
    pieces = np.array(text.split(" "), dtype=object)
    plain = np.flatnonzero([piece.islower() and piece.isalpha() for piece in pieces])
    chosen = rng.choice(plain, int(EXCHANGED_SHARE * len(plain)), replace=False)
    pieces[chosen] = pieces[rng.permutation(chosen)]
    return " ".join(pieces)


def run_stages(folder: Path, repeats: int) -> Iterator[Measured]:
    """Clean, compare and split a shelf; yield what each stage took."""
    files = [ShelfFile(file.stem, file.name, file) for file in sorted(folder.glob("*.txt"))]
    shards = share_out(files)
    cleaning = {"join_wrapped_lines": True, "max_book_mb": 64, "on_unreadable": "fail"}
    calls = []
    for shard, own in shards.items():
        spec = {**cleaning, "files": [{"name": file.name, "file": file.file} for file in own]}
        outputs = [f"--{name}={folder}/{shard}.{name}" for name in ("chapters", "matter", "quality")]
        calls.append(["--spec", json.dumps(spec), "--source", *(str(file.path) for file in own), *outputs])
    smallest = min(files, key=lambda file: file.path.stat().st_size)
    warm = {**cleaning, "files": [{"name": "warm", "file": smallest.file}]}
    outputs = [f"--{name}={folder}/warm.{name}" for name in ("chapters", "matter", "quality")]
    first = ["--spec", json.dumps(warm), "--source", str(smallest.path), *outputs]
    yield from run_stage("clean_books", [first, *calls], repeats)
    tables = ["--chapters", *(f"{folder}/{shard}.chapters" for shard in shards)]
    tables += ["--books", *(f"{folder}/{shard}.quality" for shard in shards)]
    copies = f"--duplicates={folder}/duplicates.json"
    comparing = {"similarity": 0.8, "in_name_order": True, "languages": []}
    yield from run_stage("find_duplicates", [[], ["--spec", json.dumps(comparing), *tables, copies]], repeats)
    split = {"valid_share": 0.08, "test_share": 0.08, "seed": 1}
    splitting = {"split": split, "in_name_order": True, "languages": []}
    sections = ["--matter-tables", *(f"{folder}/{shard}.matter" for shard in shards)]
    outputs = [f"--{name}={folder}/{name}" for name in ("train", "valid", "test", "matter", "manifest", "account")]
    arguments = [*tables, *sections, copies, *outputs]
    yield from run_stage("split_corpus", [[], ["--spec", json.dumps(splitting), *arguments]], repeats)
    left_out = len(read_json(folder / "duplicates.json"))
    if left_out:
        print(f"{left_out} chapters were left out as copies", file=sys.stderr)


def run_stage(stage: str, calls: list[list[str]], repeats: int) -> Iterator[Measured]:
    """Call a stage several times in one process; yield what its start took, and what it took itself.

    The first call makes the process ready (an empty one imports only); it is the start. The others are one run.
    """
    with multiprocessing.get_context("spawn").Pool(1) as process:
        start_s, *runs_s = process.apply(call_stage, [stage, calls, repeats])
        peak_mb = process.apply(resource.getrusage, [resource.RUSAGE_SELF]).ru_maxrss / 1000
    yield Measured(f"{stage} (start)", [start_s], 0.0)
    yield Measured(stage, runs_s, peak_mb)


def call_stage(stage: str, calls: list[list[str]], repeats: int) -> list[float]:
    """Return the CPU seconds up to the end of the first call, then those of each run of the others."""
    logging.disable()
    module = importlib.import_module(f"nextchapter.stages.{stage}")
    ends_s = []
    for run in [calls[:1], *repeat(calls[1:], repeats)]:
        for arguments in run:
            if arguments and module.main(arguments):
                sys.exit(f"{stage} failed")
        ends_s.append(time.process_time())
    return [ends_s[0], *(after - before for before, after in pairwise(ends_s))]


if __name__ == "__main__":
    main()
