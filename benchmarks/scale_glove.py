"""Co-occurrence counts at one and at ten million tokens: processor time, peak memory, and how they grow.

Each size is counted in a process of its own, within the same bound of memory; the tokens follow Zipf's law.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from nextchapter.embeddings.cooccurrence import count_cooccurrences, frequent_tokens
from nextchapter.tokens.stream import TokenStream, write_stream

VOCABULARY, CHAPTER_TOKENS = 20_000, 5_000
SIZES = (1_000_000, 10_000_000)


def make_stream(path: Path, tokens: int) -> TokenStream:
    """Write chapters of tokens drawn by Zipf's law."""
    generator = np.random.default_rng(0)
    weight = 1 / np.arange(2, VOCABULARY + 2)
    cumulated = np.cumsum(weight / weight.sum())
    chapters = (
        np.searchsorted(cumulated, generator.random(CHAPTER_TOKENS)).clip(max=VOCABULARY - 1).tolist()
        for _ in range(tokens // CHAPTER_TOKENS)
    )
    return write_stream(path, chapters, 0, "uint16")


def measure(tokens: int, window: int, memory_mb: int) -> dict[str, float]:
    """Count in this process; return processor seconds, growth of the peak memory, and pairs."""
    with tempfile.TemporaryDirectory() as folder:
        stream = make_stream(Path(folder, "train.bin"), tokens)
        kept = frequent_tokens(stream, VOCABULARY, 5)
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        pairs = len(count_cooccurrences(stream, kept, window, memory_mb, Path(folder, "pairs.bin")))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {"seconds": time.process_time() - started, "mb": (peak - before) / 1024, "pairs": pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=10)
    parser.add_argument("--memory-mb", type=int, default=256)
    parser.add_argument("--tokens", type=int, help="measure this size in this process and print it as JSON")
    arguments = parser.parse_args()
    if arguments.tokens:
        print(json.dumps(measure(arguments.tokens, arguments.window, arguments.memory_mb)))
        return
    found = []
    for tokens in SIZES:
        sizes = ["--window", str(arguments.window), "--memory-mb", str(arguments.memory_mb), "--tokens", str(tokens)]
        told = subprocess.run([sys.executable, __file__, *sizes], capture_output=True, text=True, check=True)
        found.append(json.loads(told.stdout))
        print(
            f"{tokens:>11,} tokens: {found[-1]['seconds']:6.1f} s, {found[-1]['mb']:6.0f} MB above the start "
            f"(bound {arguments.memory_mb} MB), {found[-1]['pairs']:,} pairs"
        )
    slope = math.log10(found[1]["seconds"] / found[0]["seconds"])
    print(f"ten times the tokens take {10**slope:.1f} times as long: slope {slope:.2f} (1 is linear)")


if __name__ == "__main__":
    main()
