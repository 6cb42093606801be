"""Broken containers and tables through the reader of the shelf, in this process: none may crash it, none may hang it.

Each input is a small good file with bytes changed, cut out, doubled or cut off, the same ones for the same seed. What
was read and what was refused is counted; an error that the reader does not turn into a reason is a crash.
"""

import argparse
import bz2
import collections
import gzip
import io
import json
import lzma
import random
import resource
import tarfile
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from nextchapter.corpus.containers import open_shelf_file
from nextchapter.corpus.document import Limits
from nextchapter.shelf import Refused

ROWS = [
    {"title": f"Book {number // 3}", "author": "A. N. Other", "chapter": number, "text": f"“Chapter” {number}. " * 9}
    for number in range(12)
]
TEXT = "\n".join(str(row["text"]) for row in ROWS).encode()
LIMITS = Limits(book_bytes=1_000_000)
SLOW_S = 5.0


def zip_of(method: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in ("a.txt", "folder/ü.txt", "rows.csv", "b.txt.gz"):
            archive.writestr(name, gzip.compress(TEXT, mtime=0) if name.endswith("gz") else TEXT)
    return file.getvalue()


def tar_of(layout: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=layout) as archive:
        for name in ("a.txt", f"folder/{'ü' * 120}.txt", "rows.jsonl"):
            entry = tarfile.TarInfo(name)
            entry.size = len(TEXT)
            archive.addfile(entry, io.BytesIO(TEXT))
    return file.getvalue()


def parquet_of(compression: str) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), file, compression=compression, row_group_size=5)
    return file.getvalue()


def make_seeds() -> dict[str, bytes]:
    jsonl = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
    table = "title;text\n" + "".join(f'{row["title"]};"{row["text"]}"\n' for row in ROWS)
    return {
        "a.txt.gz": gzip.compress(TEXT, mtime=0),
        "a.txt.bz2": bz2.compress(TEXT),
        "a.txt.xz": lzma.compress(TEXT),
        "stored.zip": zip_of(zipfile.ZIP_STORED),
        "packed.zip": zip_of(zipfile.ZIP_DEFLATED),
        "pax.tar": tar_of(tarfile.PAX_FORMAT),
        "gnu.tar": tar_of(tarfile.GNU_FORMAT),
        "pax.tar.gz": gzip.compress(tar_of(tarfile.PAX_FORMAT), mtime=0),
        "rows.jsonl": jsonl,
        "rows.jsonl.xz": lzma.compress(jsonl),
        "rows.csv": table.encode(),
        "wide.csv": b"\xff\xfe" + table.encode("utf-16-le"),
        "snappy.parquet": parquet_of("snappy"),
        "plain.parquet": parquet_of("none"),
    }


def mutate(data: bytes, generator: random.Random) -> bytes:
    """Return the bytes after one to eight changes."""
    changed = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 4, 8))):
        place = generator.randrange(len(changed) + 1)
        length = generator.choice((1, 2, 4, 16, 64))
        match generator.randrange(6):
            case 0:
                changed[place : place + length] = generator.randbytes(length)
            case 1 if place < len(changed):
                changed[place] ^= 1 << generator.randrange(8)
            case 2:
                del changed[place : place + length]
            case 3:
                changed[place:place] = changed[place : place + length] * generator.choice((1, 3, 50))
            case 4:
                changed[place : place + length] = generator.choice((b"\0", b"\xff", b"9", b'"')) * length
            case _:
                del changed[place + (len(changed) - place) // 2 :]
    return bytes(changed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="number of inputs")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    seeds = make_seeds()
    counts: collections.Counter[str] = collections.Counter()
    slowest = (0.0, "")
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.count):
            name = generator.choice(list(seeds))
            path = Path(folder, name)
            path.write_bytes(mutate(seeds[name], generator))
            before = time.process_time()
            try:
                items = list(open_shelf_file(path, name, LIMITS))
            except Exception:  # noqa: BLE001 what the reader lets through is what is counted
                print(f"input {number}, {name}:\n{traceback.format_exc()}")
                counts["crashed"] += 1
                continue
            slowest = max(slowest, (time.process_time() - before, f"{name}, input {number}"))
            refused = sum(isinstance(item, Refused) for item in items)
            counts["refused" if refused == len(items) else "read in part" if refused else "read whole"] += 1
        left = sorted(path.name for path in Path(folder).iterdir() if path.name not in seeds)
    seconds = time.process_time() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(", ".join(f"{kind} {counts[kind]:,}" for kind in ("read whole", "read in part", "refused", "crashed")))
    print(f"{arguments.count:,} inputs in {seconds:.0f} s CPU, {arguments.count / seconds:,.0f} a second")
    print(f"peak memory {peak_mb:.0f} MB, slowest input {slowest[0]:.2f} s ({slowest[1]}), other files made: {left}")
    if counts["crashed"] or left or slowest[0] > SLOW_S:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
