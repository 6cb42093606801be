"""Reading and cleaning of plain text: MB/s of a core, peak memory, and whether time grows as the shelf does.

A shelf of any size is made of the real books in a folder: copies whose words are exchanged, a fifth of them, so that no
two are alike; half of it books of 200 kB, half books of up to 50 MB. Each size is cleaned by a process of its own.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np

from nextchapter.corpus.books import write_chapters
from nextchapter.corpus.cleaning import clean_book
from nextchapter.corpus.decoding import decode

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
    print(f"{'shelf':>9}{'books':>7}{'chapters':>10}{'MB/s a core':>13}{'peak memory':>13}")
    speeds = []
    for size in options.mb:
        with tempfile.TemporaryDirectory() as name:
            books = make_shelf(Path(name), texts, size * MB)
            with multiprocessing.get_context("spawn").Pool(1) as process:
                chapters, cpu_s, peak_mb = process.apply(measure, [Path(name)])
        speeds.append(size / cpu_s)
        print(f"{size:>6} MB{books:>7}{chapters:>10}{speeds[-1]:>13.1f}{peak_mb:>10.0f} MB", flush=True)
    print(f"time for a MB, largest shelf to smallest: {speeds[0] / speeds[-1]:.2f} (1 is linear)")


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


def measure(folder: Path) -> tuple[int, float, float]:
    """Clean a shelf; return its chapters, the CPU seconds that it took, and the process's peak memory in MB."""
    files = sorted(folder.glob("*.txt"))
    clean_file(files[-1])  # imports and first allocations
    started = time.process_time()
    chapters = sum(clean_file(file) for file in files)
    cpu_s = time.process_time() - started
    return chapters, cpu_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def clean_file(file: Path) -> int:
    """Clean a book as the pipeline does, from its file to its table of chapters: the code under test."""
    clean = clean_book(file.read_bytes(), file.stem, file.name)
    write_chapters(file.with_suffix(".parquet"), clean.chapters)
    return len(clean.chapters)


if __name__ == "__main__":
    main()
