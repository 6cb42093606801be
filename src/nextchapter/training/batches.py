"""What a model is trained on at each step, as a function of the step alone: a resumed run sees the same.

`StreamBatches`: the chapters of an epoch, in an order drawn by seed, lie one behind the other and are cut into
`batch_size` streams of equal length; a step reads the next `truncation` tokens of each, the state carried over.
`ChapterBatches`: a step reads `batch_size` whole chapters, each from h_0 = 0; the gradient runs through all of each.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from nextchapter.models.protocol import IGNORED
from nextchapter.tokens.stream import TokenStream


@dataclass(frozen=True)
class Batch:
    """The tokens of one step."""

    tokens: Int[Tensor, "batch time"]
    """What the model reads."""
    targets: Int[Tensor, "batch time"]
    """What it must predict; `IGNORED` where nothing stands."""
    fresh: bool
    """Whether the step begins from the initial state instead of the state that the last one left."""
    count: int
    """Number of targets that are not ignored."""


class Batches(ABC):
    """The batches of a run."""

    steps_per_epoch: int
    tokens_per_epoch: int

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """Return the batch of a step; steps count from 0 through all epochs."""


class StreamBatches(Batches):
    """Truncated backpropagation through time over contiguous streams."""

    def __init__(self, stream: TokenStream, end_of_chapter: int, batch_size: int, truncation: int, seed: int) -> None:
        """Lay out the streams; a shelf too small for `batch_size` streams gets fewer.

        Args:
            stream: the training chapters.
            end_of_chapter: the token that also says that a chapter begins.
            batch_size: number of streams.
            truncation: tokens of each that a step reads.
            seed: of the order of the chapters.
        """
        self._stream, self._end_of_chapter, self._seed = stream, end_of_chapter, seed
        self._truncation = truncation
        total = len(stream.tokens)
        self._batch_size = max(1, min(batch_size, total // 2))
        self._length = total // self._batch_size
        self.steps_per_epoch = math.ceil(self._length / truncation)
        self.tokens_per_epoch = self._length * self._batch_size
        self._epoch, self._order, self._starts = -1, np.empty(0, np.int64), np.empty(0, np.int64)

    def batch(self, step: int) -> Batch:
        """Return the next `truncation` tokens of each stream."""
        epoch, index = divmod(step, self.steps_per_epoch)
        self._lay_out(epoch)
        start = index * self._truncation
        stop = min(start + self._truncation, self._length)
        rows = [self._read(row * self._length + start, stop - start) for row in range(self._batch_size)]
        block = torch.from_numpy(np.stack(rows))
        return Batch(block[:, :-1], block[:, 1:], fresh=index == 0, count=self._batch_size * (stop - start))

    def _lay_out(self, epoch: int) -> None:
        """Draw the order of the chapters of an epoch, and note where each begins."""
        if epoch != self._epoch:
            self._order = np.random.default_rng([self._seed, epoch]).permutation(self._stream.chapters)
            ends = np.cumsum(self._stream.lengths[self._order])
            self._starts = np.concatenate([[0], ends])
            self._epoch = epoch

    def _read(self, start: int, count: int) -> np.ndarray:
        """Return the token before `start` and the `count` tokens from there on, int64 [count + 1]."""
        tokens = np.full(count + 1, self._end_of_chapter, dtype=np.int64)
        place = max(start - 1, 0)
        filled = 1 if start == 0 else 0
        index = int(np.searchsorted(self._starts, place, side="right")) - 1
        while filled <= count:
            chapter = self._stream.chapter(self._order[index])
            piece = chapter[place - self._starts[index] :][: count + 1 - filled]
            tokens[filled : filled + len(piece)] = piece
            filled, place, index = filled + len(piece), place + len(piece), index + 1
        return tokens


class ChapterBatches(Batches):
    """Backpropagation through whole chapters."""

    def __init__(self, stream: TokenStream, end_of_chapter: int, batch_size: int, seed: int) -> None:
        """Sort the chapters by length, so that those of a batch are alike and little is padded."""
        self._stream, self._end_of_chapter, self._seed = stream, end_of_chapter, seed
        by_length = np.argsort(stream.lengths, kind="stable")
        self._groups = [by_length[start : start + batch_size] for start in range(0, len(by_length), batch_size)]
        self.steps_per_epoch = len(self._groups)
        self.tokens_per_epoch = len(stream.tokens)

    def batch(self, step: int) -> Batch:
        """Return whole chapters, padded to the longest of them."""
        epoch, index = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng([self._seed, epoch]).permutation(self.steps_per_epoch)
        chapters = [self._stream.chapter(row) for row in self._groups[order[index]]]
        longest = max(len(chapter) for chapter in chapters)
        tokens = np.full((len(chapters), longest), self._end_of_chapter, dtype=np.int64)
        targets = np.full_like(tokens, IGNORED)
        for row, chapter in enumerate(chapters):
            targets[row, : len(chapter)] = chapter
            tokens[row, 1 : len(chapter)] = chapter[:-1]
        count = sum(len(chapter) for chapter in chapters)
        return Batch(torch.from_numpy(tokens), torch.from_numpy(targets), fresh=True, count=count)
