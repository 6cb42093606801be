"""Memory and time of counting words and learning their spelling, and of encoding by one process and by two.

The text is made up: words by Zipf's law, so that new ones never cease. Each size is measured in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nextchapter.spec.tokens import WordsSpec
from nextchapter.tokens.encoding import encode_chapters
from nextchapter.tokens.words import WordsTokenizer

CHAPTER_TOKENS = 100_000


def make_texts(tokens: int) -> Iterator[str]:
    """Yield chapters; about one word in ten is one that was not seen before."""
    generator = np.random.default_rng(0)
    for _ in range(0, tokens, CHAPTER_TOKENS):
        yield " ".join(f"{rank:x}".translate(LETTERS) for rank in generator.zipf(1.15, CHAPTER_TOKENS) % 2**40)


LETTERS = str.maketrans("0123456789abcdef", "etaoinshrdlucmfw")


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux


def measure(tokens: int, counted_words: int, processes: list[int]) -> dict[str, float]:
    """Return what one size takes, in seconds and in megabytes above those of the libraries."""
    before_mb, started = peak_mb(), time.process_time()
    tokenizer = WordsTokenizer.train(make_texts(tokens), WordsSpec(counted_words=counted_words))
    found = {"tokens": tokens, "train_cpu_s": time.process_time() - started, "train_mb": peak_mb() - before_mb}
    started = time.process_time()
    tokenizer.spelling_nats("word")
    found |= {"spelling_cpu_s": time.process_time() - started, "spelling_mb": peak_mb() - before_mb}
    texts = list(make_texts(tokens)) if processes else []
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(Path(folder, "tokenizer"))
        for count in processes:
            started = time.perf_counter()
            encoded = sum(len(chapter.tokens) for chapter in encode_chapters(Path(folder, "tokenizer"), texts, count))
            found[f"encode_wall_s_{count}"] = time.perf_counter() - started
            found["encoded_tokens"] = encoded
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--counted-words", type=int, default=WordsSpec().counted_words)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 2], help="to encode with; none skips that")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.tokens[0], arguments.counted_words, arguments.processes)))
        return
    for tokens in arguments.tokens:
        command = [sys.executable, __file__, "--child", "--tokens", str(tokens)]
        command += ["--counted-words", str(arguments.counted_words), "--processes", *map(str, arguments.processes)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print("  ".join(f"{name} {value:,.1f}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
