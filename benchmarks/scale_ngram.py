"""Time and memory of fitting and scoring n-grams, against the number of tokens, each size in a process of its own.

The text is that of Python's own reference manual, which every installation has, over and over; in each copy a quarter
of the words is drawn anew by frequency, so that of the 5-grams about three in four are new, as in more real text.
"""

import argparse
import itertools
import json
import math
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from pydoc_data.topics import topics

import numpy as np
import torch

from nextchapter.models.ngram import Ngram, NgramSpec
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.devices import prepare_torch

END = 0
CHAPTER_TOKENS = 4000
SHARE_DRAWN_ANEW = 0.25
SCORED_TOKENS = 200_000


def make_stream(tokens: int, vocabulary: int) -> TokenStream:
    """Return chapters of equal length; the most frequent words have ids of their own, all others share the last."""
    words = re.findall(r"\w+|[^\w\s]", "\n".join(topics.values()))
    ranks = {word: rank for rank, (word, _) in enumerate(Counter(words).most_common(vocabulary - 2), start=1)}
    text = np.array([ranks.get(word, vocabulary - 1) for word in words], dtype=np.uint16)
    generator = np.random.default_rng(0)
    long = np.tile(text, math.ceil(tokens / len(text)))[:tokens]
    drawn_anew = generator.random(tokens) < SHARE_DRAWN_ANEW
    long[drawn_anew] = generator.choice(text, size=int(drawn_anew.sum()))
    long[CHAPTER_TOKENS - 1 :: CHAPTER_TOKENS] = long[-1] = END
    ends = np.flatnonzero(long == END) + 1
    return TokenStream(long, np.concatenate([[0], ends]))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux


def measure(tokens: int, order: int, vocabulary: int) -> dict[str, float]:
    """Return what one size takes, in processor seconds and megabytes above those of data and libraries."""
    prepare_torch(1)
    stream, model = make_stream(tokens + SCORED_TOKENS, vocabulary), Ngram(vocabulary, NgramSpec(order=order)).eval()
    split = int(np.searchsorted(stream.offsets, tokens))
    train = TokenStream(stream.tokens[: stream.offsets[split]], stream.offsets[: split + 1])
    test = TokenStream(stream.tokens[stream.offsets[split] :], stream.offsets[split:] - stream.offsets[split])
    before_mb, started = peak_mb(), time.process_time()
    model.fit(train, END)
    fit_s, fit_mb = time.process_time() - started, peak_mb() - before_mb
    started = time.process_time()
    nats = score_chapters(model, test, END, batch_size=16, chunk_tokens=256)
    return {
        "tokens": len(train.tokens),
        "fit_s": fit_s,
        "peak_mb": fit_mb,
        "tables_mb": sum(buffer.nbytes for buffer in model.buffers()) / 2**20,
        "score_tokens_per_s": len(test.tokens) / (time.process_time() - started),
        "perplexity": math.exp(sum(chapter.sum() for chapter in nats) / len(test.tokens)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10], help="sizes, in millions of tokens")
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--vocabulary", type=int, default=10_000)
    parser.add_argument("--one", type=int, help="measure this number of tokens, in this process, and print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one, arguments.order, arguments.vocabulary)))
        return
    print(
        f"modified Kneser-Ney, order {arguments.order}, vocabulary {arguments.vocabulary:,}, torch {torch.__version__}"
    )
    size = [f"--order={arguments.order}", f"--vocabulary={arguments.vocabulary}"]
    results = []
    for millions in arguments.millions:
        command = [sys.executable, __file__, f"--one={round(millions * 1e6)}", *size]
        results.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        print(
            "{tokens:>12,} tokens  fit {fit_s:6.2f} s  peak {peak_mb:6.0f} MB  tables {tables_mb:5.0f} MB  "
            "scores {score_tokens_per_s:9,.0f} tokens/s  perplexity {perplexity:.1f}".format(**results[-1])
        )
    for small, large in itertools.pairwise(results):
        growth = math.log(large["tokens"] / small["tokens"])
        slopes = {name: math.log(large[name] / small[name]) / growth for name in ("fit_s", "peak_mb")}
        print("slope (1 is linear): time {fit_s:.2f}, peak memory {peak_mb:.2f}".format(**slopes))


if __name__ == "__main__":
    main()
