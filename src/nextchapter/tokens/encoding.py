"""Encoding a corpus: in batches that are spread over processes, in order, and in bounded memory.

Each batch is a function of its texts alone, so the result does not depend on how many processes there are. Processes,
since most of the work holds Python's lock: sentencepiece's own threads leave the making of its lists to one of them.
"""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nextchapter.corpus.batching import batch_by_size
from nextchapter.corpus.words import count_words
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.registry import load_tokenizer
from nextchapter.tokens.stream import token_dtype

BATCH_CHARACTERS = 2_000_000
"""A batch is closed when it holds this much text."""
_BATCHES_PER_PROCESS = 2  # one being encoded, one waiting


class EncodedChapter(NamedTuple):
    """A chapter as tokens, and what an account of its bits a character needs."""

    tokens: np.ndarray
    """Ids without the end of the chapter [token]."""
    characters: int
    words: int
    unknown_characters: int
    spelling_nats: float


class SplitFacts:
    """What `tokens.json` tells of a split: sums over its chapters, and for a closed vocabulary what it left out."""

    def __init__(self, closed: bool) -> None:
        """Begin with nothing counted; `closed` where the tokenizer has `<unk>`."""
        self.closed = closed
        self.chapters = self.tokens = self.characters = self.words = 0
        self.unknown_characters: list[int] = []
        self.spelling_nats: list[float] = []

    def add(self, chapter: EncodedChapter) -> np.ndarray:
        """Count a chapter and return its tokens."""
        self.chapters += 1
        self.tokens += len(chapter.tokens) + 1
        self.characters += chapter.characters
        self.words += chapter.words
        self.unknown_characters.append(chapter.unknown_characters)
        self.spelling_nats.append(chapter.spelling_nats)
        return chapter.tokens

    def as_json(self) -> dict[str, Any]:
        """Return the sums, and of a closed vocabulary what each chapter's unknown words hold and cost."""
        sums = {name: getattr(self, name) for name in ("chapters", "tokens", "characters", "words")}
        if not self.closed:
            return sums
        return {**sums, "unknown": {"characters": self.unknown_characters, "nats": self.spelling_nats}}


def encode_chapters(
    tokenizer: Path, texts: Iterable[str], processes: int, count: Callable[[str], int] = count_words
) -> Iterator[EncodedChapter]:
    """Yield the chapters of some texts in order, encoded.

    Args:
        tokenizer: path of the tokenizer's file.
        texts: are read as they are needed: two batches a process are in memory.
        processes: how many encode at once; 1 encodes in this one.
        count: says how many words a text has; a function of a module, so that other processes find it.
    """
    batches = batch_by_size(texts, len, BATCH_CHARACTERS)
    ahead = [batch for _, batch in zip(range(2), batches, strict=False)]
    whole = chain(ahead, batches)
    if processes == 1 or len(ahead) < 2:  # a small shelf is done before another process has started
        loaded = load_tokenizer(tokenizer)
        for batch in whole:
            yield from _encode_batch(loaded, batch, count)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_start_worker, initargs=(tokenizer,)) as pool:
        waiting: deque[Future[list[EncodedChapter]]] = deque()
        for batch in whole:
            waiting.append(pool.submit(_encode_in_worker, batch, count))
            if len(waiting) >= _BATCHES_PER_PROCESS * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _encode_batch(tokenizer: Tokenizer, texts: list[str], count: Callable[[str], int]) -> list[EncodedChapter]:
    dtype = token_dtype(tokenizer.vocabulary_size)
    chapters = []
    for text in texts:
        tokens, characters, unknown_characters, nats = tokenizer.encode_text(text)
        chapters.append(EncodedChapter(tokens.astype(dtype), characters, count(text), unknown_characters, nats))
    return chapters


_worker: list[Tokenizer] = []
"""The tokenizer of a worker process, loaded once."""


def _start_worker(tokenizer: Path) -> None:
    _worker[:] = [load_tokenizer(tokenizer)]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave when the stage has been killed: the pool's queues would let a worker wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _encode_in_worker(texts: list[str], count: Callable[[str], int]) -> list[EncodedChapter]:
    return _encode_batch(_worker[0], texts, count)
