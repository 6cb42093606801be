"""Our GloVe against gensim's word2vec: wall time to the best wordsim353 score of each, on the same text and threads.

Both see the words of a text, split at spaces, that occur at least five times; the time spent on scoring is taken out.
"""

import argparse
import lzma
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from gensim.models import Word2Vec
from gensim.models.callbacks import CallbackAny2Vec
from gensim.test.utils import datapath

from nextchapter.embeddings.cooccurrence import count_cooccurrences, frequent_tokens
from nextchapter.embeddings.glove import GloveTrainer, shuffle_pairs
from nextchapter.embeddings.intrinsic import TokenVectors, read_similarities, score_similarity
from nextchapter.embeddings.word2vec import build_word2vec
from nextchapter.spec.embeddings import GloveSpec, Word2vecSpec
from nextchapter.tokens.stream import TokenStream

WIKITEXT = Path(__file__).resolve().parents[2] / "shared/data/wikitext-2/wiki.train.tokens.xz"


class Score(NamedTuple):
    """What an epoch brought."""

    epoch: int
    seconds: float
    spearman: float


class Stopwatch:
    """Wall time, scoring taken out."""

    def __init__(self, judge: "Judge") -> None:
        self.judge, self.scores, self.started = judge, [Score(0, 0.0, -1.0)], time.perf_counter()

    def record(self, vectors: np.ndarray, known: np.ndarray) -> None:
        """Score the vectors of the epoch that has just ended."""
        seconds, paused = time.perf_counter() - self.started, time.perf_counter()
        self.scores.append(Score(len(self.scores), seconds, self.judge.spearman(vectors, known)))
        self.started += time.perf_counter() - paused

    @property
    def best(self) -> Score:
        return max(self.scores, key=lambda score: score.spearman)


class Judge:
    """wordsim353 on whole words."""

    def __init__(self, words: list[str]) -> None:
        self.ids = {word: number for number, word in enumerate(words)}
        self.pairs = read_similarities(Path(datapath("wordsim353.tsv")))

    def spearman(self, vectors: np.ndarray, known: np.ndarray) -> float:
        blank = np.zeros(len(known), dtype=bool)
        tokens = TokenVectors(vectors, known, blank, lambda text: [self.ids[w] for w in text.split() if w in self.ids])
        return score_similarity(self.pairs, tokens)["spearman"] or 0.0


class Listener(CallbackAny2Vec):
    """Scores gensim's vectors after each epoch."""

    def __init__(self, stopwatch: Stopwatch, known: np.ndarray) -> None:
        self.stopwatch, self.known = stopwatch, known

    def on_epoch_end(self, model: Word2Vec) -> None:
        vectors = np.zeros((len(self.known), model.vector_size), dtype=np.float32)
        vectors[np.array(model.wv.index_to_key, dtype=np.int64)] = model.wv.vectors
        self.stopwatch.record(vectors, self.known)


def read_text(path: Path) -> tuple[TokenStream, list[str]]:
    """Return the words of a text, a chapter a line, as ids; the most frequent word is 0."""
    lines = list(_lines(path))
    words = [word for word, _ in Counter(word for line in lines for word in line).most_common()]
    ids = {word: number for number, word in enumerate(words)}
    offsets = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    return TokenStream(np.array([ids[word] for line in lines for word in line], dtype=np.uint32), offsets), words


def _lines(path: Path) -> Iterator[list[str]]:
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as lines:
        yield from (words for words in map(str.split, lines) if words)


def race_glove(stream: TokenStream, judge: Judge, dimensions: int, epochs: int) -> Score:
    spec = GloveSpec(tokenizer="words", dimensions=dimensions, epochs=epochs)
    stopwatch, tokens = Stopwatch(judge), len(judge.ids)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known = frequent_tokens(stream, tokens, spec.min_count)
        counts = count_cooccurrences(stream, known, spec.window, spec.memory_mb, folder / "pairs.bin")
        trainer = GloveTrainer(tokens, spec)
        with shuffle_pairs(counts, tokens, spec, folder) as batches:
            for _ in range(epochs):
                trainer.train_epoch(batches)
                stopwatch.record(trainer.vectors(), known)
    return stopwatch.best


def race_word2vec(stream: TokenStream, judge: Judge, dimensions: int, epochs: int, threads: int, variant: str) -> Score:
    spec = Word2vecSpec.model_validate(
        {"tokenizer": "words", "variant": variant, "dimensions": dimensions, "epochs": epochs}
    )
    stopwatch = Stopwatch(judge)
    known = frequent_tokens(stream, len(judge.ids), spec.min_count)
    build_word2vec(stream, spec, (Listener(stopwatch, known),), threads)
    return stopwatch.best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, default=WIKITEXT, help="text file, words apart by spaces; .xz is opened")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dimensions", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=20, help="of each side")
    arguments = parser.parse_args()
    if not arguments.text.is_file():
        print(f"there is no {arguments.text}: give a text with --text FILE")
        return
    torch.set_num_threads(arguments.threads)
    stream, words = read_text(arguments.text)
    judge = Judge(words)
    print(f"{len(stream.tokens):,} words, {len(words):,} types, {arguments.threads} threads, to the best of each:")
    ours = race_glove(stream, judge, arguments.dimensions, arguments.epochs)
    print(f"  GloVe, ours           {ours.seconds:7.1f} s to Spearman {ours.spearman:.3f}, epoch {ours.epoch}")
    for variant in ("skip-gram", "cbow"):
        theirs = race_word2vec(stream, judge, arguments.dimensions, arguments.epochs, arguments.threads, variant)
        print(
            f"  gensim {variant:<14} {theirs.seconds:7.1f} s to Spearman {theirs.spearman:.3f}, epoch {theirs.epoch}; "
            f"ratio theirs/ours {theirs.seconds / ours.seconds:.2f}"
        )


if __name__ == "__main__":
    main()
