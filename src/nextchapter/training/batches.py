"""What a model is trained on at each step, as a function of the step alone: a resumed run sees the same.

`StreamBatches`: the chapters of an epoch, in an order drawn by seed, lie one behind the other and are cut into
`batch_size` streams of equal length; a step reads the next `truncation` tokens of each, or a number drawn about it, the
state carried over, but for a few streams that forget it.
`ChapterBatches`: a step reads `batch_size` whole chapters, each from h_0 = 0; the gradient runs through all of each.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from nextchapter.models.protocol import IGNORED
from nextchapter.tokens.stream import TokenStream

HALVED_SHARE, LENGTH_NOISE_TOKENS, SHORTEST_TOKENS = 0.05, 5, 5
"""Of random truncation; the authors' values."""


@dataclass(frozen=True)
class Batch:
    """The tokens of one step."""

    tokens: Int[Tensor, "batch time"]
    """What the model reads."""
    targets: Int[Tensor, "batch time"]
    """What it must predict; `IGNORED` where nothing stands."""
    fresh: Bool[Tensor, " batch"]
    """Which rows begin from the initial state instead of the state that the last step left."""
    count: int
    """Number of targets that are not ignored."""
    rate_scale: float = 1.0
    """What the learning rate is multiplied by at this step."""


class Batches(ABC):
    """The batches of a run."""

    steps_per_epoch: int
    tokens_per_epoch: int

    def __init__(self, stream: TokenStream, end_of_chapter: int, seed: int) -> None:
        """Take the training chapters, the token that ends them, and the seed of their order."""
        self._stream, self._end_of_chapter, self._seed = stream, end_of_chapter, seed

    def token_counts(self, vocabulary_size: int) -> Int[Tensor, " token"]:
        """Return how often each token of the vocabulary is there."""
        return torch.from_numpy(self._stream.counts(vocabulary_size))

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """Return the batch of a step; steps count from 0 through all epochs."""


class StreamBatches(Batches):
    """Truncated backpropagation through time over contiguous streams."""

    def __init__(
        self,
        stream: TokenStream,
        end_of_chapter: int,
        batch_size: int,
        truncation: int,
        seed: int,
        random_truncation: bool = False,
        state_reset: float = 0.0,
    ) -> None:
        """Lay out the streams; a shelf too small for `batch_size` streams gets fewer.

        Args:
            stream: the training chapters.
            end_of_chapter: the token that also says that a chapter begins.
            batch_size: number of streams.
            truncation: tokens of each that a step reads.
            seed: of the order of the chapters, and of the lengths of the steps.
            random_truncation: whether the steps of an epoch have lengths of their own, as `draw_cuts` draws them.
            state_reset: share of the streams that forget their state before a step.
        """
        super().__init__(stream, end_of_chapter, seed)
        self._truncation, self._random_truncation, self._state_reset = truncation, random_truncation, state_reset
        total = len(stream.tokens)
        self._batch_size = max(1, min(batch_size, total // 2))
        self._length = total // self._batch_size
        self.steps_per_epoch = math.ceil(self._length / truncation)
        self.tokens_per_epoch = self._length * self._batch_size
        self._epoch, self._order, self._starts = -1, np.empty(0, np.int64), np.empty(0, np.int64)
        self._cuts = np.minimum(np.arange(self.steps_per_epoch + 1) * truncation, self._length)

    def batch(self, step: int) -> Batch:
        """Return the next tokens of each stream; where lengths are drawn, the learning rate is to follow them."""
        epoch, index = divmod(step, self.steps_per_epoch)
        self._lay_out(epoch)
        start, stop = map(int, self._cuts[index : index + 2])
        rows = [self._read(row * self._length + start, stop - start) for row in range(self._batch_size)]
        block = torch.from_numpy(np.stack(rows))
        rate_scale = (stop - start) / self._truncation if self._random_truncation else 1.0
        fresh = np.random.default_rng([self._seed, step, 2]).random(self._batch_size) < self._state_reset
        fresh |= index == 0
        count = self._batch_size * (stop - start)
        return Batch(block[:, :-1], block[:, 1:], torch.from_numpy(fresh), count, rate_scale)

    def _lay_out(self, epoch: int) -> None:
        """Draw the order of the chapters of an epoch, note where each begins, and draw where its steps begin."""
        if epoch != self._epoch:
            self._order = np.random.default_rng([self._seed, epoch]).permutation(self._stream.chapters)
            ends = np.cumsum(self._stream.lengths[self._order])
            self._starts = np.concatenate([[0], ends])
            if self._random_truncation:
                generator = np.random.default_rng([self._seed, epoch, 1])
                self._cuts = draw_cuts(generator, self.steps_per_epoch, self._length, self._truncation)
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


def draw_cuts(generator: np.random.Generator, steps: int, length: int, truncation: int) -> np.ndarray:
    """Return where the steps of an epoch begin, and where the last ends, int64 [step + 1] (Merity et al., 2018, 4.1).

    A step has `truncation` tokens, or with probability 0.05 half as many, with normal noise of 5 tokens, at least 5.
    The lengths of an epoch are then stretched to fill it, so that all epochs have as many steps.
    """
    means = np.where(generator.random(steps) < HALVED_SHARE, truncation / 2, truncation)
    lengths = np.maximum(generator.normal(means, LENGTH_NOISE_TOKENS), SHORTEST_TOKENS)
    ends = np.cumsum(lengths)
    return np.concatenate([[0], np.rint(ends * (length / ends[-1]))]).astype(np.int64)


class ChapterBatches(Batches):
    """Backpropagation through whole chapters."""

    def __init__(self, stream: TokenStream, end_of_chapter: int, batch_size: int, seed: int) -> None:
        """Sort the chapters by length, so that those of a batch are alike and little is padded."""
        super().__init__(stream, end_of_chapter, seed)
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
        return Batch(
            torch.from_numpy(tokens), torch.from_numpy(targets), torch.ones(len(chapters), dtype=torch.bool), count
        )
