"""Large shelves: MB/s of a core in each stage of the corpus, peak memory, and whether time grows as the shelf does.

A shelf of any size is made of the real books in a folder: copies whose words are exchanged, a fifth of them, so that no
two are alike; half of it books of 200 kB, half books of up to 50 MB. Each stage runs in a process of its own, the
shards one after the other; the start of a process, about two seconds, is shown apart.
"""

import argparse
import importlib
import json
import logging
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np

from nextchapter.corpus.decoding import decode
from nextchapter.shelf import ShelfFile
from nextchapter.sources import share_out
from nextchapter.store.files import read_json

MB = 1_000_000
SMALL_BOOK, LARGE_BOOK = MB // 5, 50 * MB
EXCHANGED_SHARE = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("books", nargs="?", type=Path, default=Path("resources/books"), help="folder of .txt files")
    parser.add_argument("--mb", nargs="+", type=int, default=[10, 100, 1000], help="sizes of the shelves")
    options = parser.parse_args()
    texts = [decode(file.read_bytes()).text.replace("\r\n", "\n") for file in sorted(options.books.rglob("*.txt"))]
    if not texts:
        parser.error(f"no .txt file in {options.books}: name a folder of books")
    print(f"{'shelf':>9}{'books':>7}  {'stage':<24}{'CPU':>8}{'MB/s a core':>13}{'peak memory':>13}")
    speeds = []
    for size in options.mb:
        with tempfile.TemporaryDirectory() as name:
            books = make_shelf(Path(name), texts, size * MB)
            for stage, cpu_s, peak_mb in run_stages(Path(name)):
                row = f"{cpu_s:>6.1f} s{size / cpu_s:>13.1f}{peak_mb:>10.0f} MB"
                print(f"{size:>6} MB{books:>7}  {stage:<24}{row}", flush=True)
                speeds += [size / cpu_s] if stage == "clean_books" else []
    print(f"cleaning, time for a MB, largest shelf to smallest: {speeds[0] / speeds[-1]:.2f} (1 is linear)")


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


def run_stages(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Clean, compare and split a shelf; yield each stage with its CPU seconds and its largest process's peak in MB."""
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
    yield from run_stage(
        "clean_books", [["--spec", json.dumps(warm), "--source", str(smallest.path), *outputs], *calls]
    )
    tables = ["--chapters", *(f"{folder}/{shard}.chapters" for shard in shards)]
    tables += ["--books", *(f"{folder}/{shard}.quality" for shard in shards)]
    copies = f"--duplicates={folder}/duplicates.json"
    comparing = {"similarity": 0.8, "in_name_order": True, "languages": []}
    yield from run_stage("find_duplicates", [[], ["--spec", json.dumps(comparing), *tables, copies]])
    splitting = {
        "split": {"valid_share": 0.08, "test_share": 0.08, "seed": 1}, "shelf": "benchmark", "in_name_order": True,
        "languages": [],
    }  # fmt: skip
    sections = ["--matter-tables", *(f"{folder}/{shard}.matter" for shard in shards)]
    outputs = [f"--{name}={folder}/{name}" for name in ("train", "valid", "test", "matter", "manifest", "quality")]
    arguments = [*tables, *sections, copies, *outputs]
    yield from run_stage("split_corpus", [[], ["--spec", json.dumps(splitting), *arguments]])
    left_out = len(read_json(folder / "duplicates.json"))
    if left_out:
        print(f"{left_out} chapters were left out as copies", file=sys.stderr)


def run_stage(stage: str, calls: list[list[str]]) -> Iterator[tuple[str, float, float]]:
    """Call a stage several times in one process; yield its CPU seconds and its peak memory in MB.

    The first call makes the process ready (an empty one imports only); it is the start, shown apart.
    """
    with multiprocessing.get_context("spawn").Pool(1) as process:
        start_s, cpu_s, peak_mb = process.apply(call_stage, [stage, calls])
    yield f"{stage} (start)", start_s, 0.0
    yield stage, cpu_s, peak_mb


def call_stage(stage: str, calls: list[list[str]]) -> tuple[float, float, float]:
    """Return the CPU seconds up to the end of the first call, those of the others, and the peak memory in MB."""
    logging.disable()
    module = importlib.import_module(f"nextchapter.stages.{stage}")
    for place, arguments in enumerate(calls):
        if arguments and module.main(arguments):
            sys.exit(f"{stage} failed")
        if place == 0:
            start_s = time.process_time()
    return start_s, time.process_time() - start_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
