"""GloVe (Pennington, Socher and Manning, 2014), trained by AdaGrad on a shuffled stream of co-occurrences.

    J    = sum_ij f(X_ij) (w_i . c_j + b_i + b'_j - ln X_ij)^2        (eq. 8)
    f(x) = min(1, (x / x_max)^alpha)                                  (eq. 9)

Each pair of tokens goes by a hash to one of a number of minibatches, whose order is drawn anew in each epoch. A
minibatch is a sparse matrix, and as it holds (j, i) with each (i, j), its transpose is a permutation of its values. One
step is then three sparse products that torch brings along:

    e  = (W C^T) where X is known, - ln X             a sampled product
    dW = (f(X) * e) C,  dC = (f(X) * e)^T W           weighted sums of rows

The biases ride along as two more columns: (w_i, b_i, 1) against (c_j, 1, b'_j). More: docs/embeddings.md.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nextchapter.embeddings.cooccurrence import CooccurrenceFile, Pairs, append_pairs, frequent_tokens, unpack
from nextchapter.embeddings.vectors import LearnedVectors, Material
from nextchapter.spec.embeddings import BYTES_PER_PAIR, GloveSpec

ACCUMULATOR_START = 0.01
"""Of AdaGrad's sums of squares; the reference code starts at 1, which holds rare tokens back."""


class Minibatch(NamedTuple):
    """Entries of X in the order of rows, then columns; with each (i, j) there is (j, i)."""

    row_starts: Tensor
    """Where each row begins, and where the last one ends, int32 [token + 1]."""
    columns: Tensor
    """The column of each entry, int32 [entry]."""
    mirror: Tensor
    """Where (j, i) stands, for each (i, j), int32 [entry]."""
    logarithms: Tensor
    """ln X_ij [entry]."""
    importance: Tensor
    """f(X_ij), eq. 9 [entry]."""


class Gradients(NamedTuple):
    """Of half the objective of a minibatch."""

    words: Tensor
    """dW, the biases' gradients in the last two columns [token dimension+2]."""
    contexts: Tensor
    """dC, likewise."""
    loss: float
    """J of the minibatch, eq. 8."""


def make_minibatch(
    pairs: Pairs, tokens: int, x_max: float, alpha: float, dtype: torch.dtype = torch.float32
) -> Minibatch:
    """Return both orders of some pairs; X_ii is twice what was counted, since i stands on either side of i.

    Args:
        pairs: in ascending order.
        tokens: size of the vocabulary.
        x_max: count of full weight, eq. 9.
        alpha: exponent, eq. 9.
        dtype: of logarithms and importance.
    """
    low, high = unpack(pairs.pair)
    apart = low != high
    rows, columns = np.concatenate([low, high[apart]]), np.concatenate([high, low[apart]])
    counts = np.concatenate([np.where(apart, 1, 2) * pairs.weight, pairs.weight[apart]])
    order = np.argsort(rows * tokens + columns, kind="stable")
    rows, columns, counts = rows[order], columns[order], counts[order]
    mirror = np.argsort(columns * tokens + rows, kind="stable")
    starts = np.searchsorted(rows, np.arange(tokens + 1))
    places = [torch.from_numpy(part.astype(np.int32)) for part in (starts, columns, mirror)]
    values = (np.log(counts), np.minimum(counts / x_max, 1.0) ** alpha)
    return Minibatch(*places, *(torch.from_numpy(value).to(dtype) for value in values))


def glove_gradients(words: Tensor, contexts: Tensor, batch: Minibatch) -> Gradients:
    """Return the gradients of half of eq. 8, as the reference code has them, and its value.

    Each number is made by one thread alone, so it does not depend on how many there are.

    Args:
        words: w_i, b_i, 1 [token dimension+2].
        contexts: c_j, 1, b'_j [token dimension+2].
        batch: entries of X.
    """
    logarithms = _as_sparse(batch, batch.logarithms)
    errors = torch.sparse.sampled_addmm(logarithms, words, contexts.T, beta=-1.0).values()
    weighted = batch.importance * errors
    d_words = _sum_rows(contexts, batch, weighted)
    d_contexts = _sum_rows(words, batch, weighted[batch.mirror])
    loss = (weighted * errors).numpy().sum(dtype=np.float64)  # torch's sums are cut at places that threads decide on
    return Gradients(d_words, d_contexts, float(loss))


def _as_sparse(batch: Minibatch, values: Tensor) -> Tensor:
    """Return a square matrix with these values where X is known."""
    size = (len(batch.row_starts) - 1,) * 2
    with warnings.catch_warnings():  # torch calls its compressed rows beta, once a process
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
        return torch.sparse_csr_tensor(batch.row_starts, batch.columns, values, size, check_invariants=False)


def _sum_rows(vectors: Tensor, batch: Minibatch, weights: Tensor) -> Tensor:
    """Return sum_j weights_ij vectors_j for each i."""
    return functional.embedding_bag(
        batch.columns, vectors, batch.row_starts, mode="sum", per_sample_weights=weights, include_last_offset=True
    )


def learn_vectors(material: Material, spec: GloveSpec) -> LearnedVectors:
    """Return the vectors of the tokens; equal material and specification give equal ones, on any number of threads.

    Raises:
        ValueError: the co-occurrences are missing.
    """
    if material.cooccurrences is None:
        raise ValueError("GloVe is learned from co-occurrences, and there are none")
    counts, tokens = CooccurrenceFile(material.cooccurrences), material.vocabulary_size
    known = frequent_tokens(material.stream, tokens, spec.min_count)
    trainer = GloveTrainer(tokens, spec)
    with shuffle_pairs(counts, tokens, spec, material.scratch) as batches:
        losses = [trainer.train_epoch(batches) for _ in range(spec.epochs)]
    vectors = trainer.vectors() * known[:, None]
    return LearnedVectors(vectors, known, {"cooccurring_pairs": len(counts), "loss_per_epoch": losses})


class GloveTrainer:
    """Vectors, their sums of squared gradients, and the steps that move them."""

    def __init__(self, tokens: int, spec: GloveSpec) -> None:
        """Draw vectors and biases from U(-1/2d, 1/2d), d the dimensions, by the seed."""
        self.spec, self.dimensions = spec, spec.dimensions
        self._generator = torch.Generator().manual_seed(spec.seed)
        self.words, self.contexts = self._draw(tokens), self._draw(tokens)
        self.words[:, -1] = 1.0
        self.contexts[:, -2] = 1.0
        self._squares = [torch.full_like(part, ACCUMULATOR_START) for part in (self.words, self.contexts)]

    def _draw(self, tokens: int) -> Tensor:
        drawn = torch.rand(tokens, self.dimensions + 2, generator=self._generator)
        return (drawn - 0.5) / self.dimensions

    def train_epoch(self, batches: "ShuffledPairs") -> float:
        """Go through all minibatches, in an order drawn for this epoch; return J per pair, before each step."""
        loss = 0.0
        for number in torch.randperm(len(batches), generator=self._generator).tolist():
            loss += self.step(batches.read(number))
        return loss / max(1, batches.entries)

    def step(self, batch: Minibatch) -> float:
        """Move the vectors by one step of AdaGrad (Duchi et al., 2011); return J of the minibatch."""
        found = glove_gradients(self.words, self.contexts, batch)
        found.words[:, -1] = 0.0  # the ones stay
        found.contexts[:, -2] = 0.0
        parts = zip((self.words, self.contexts), (found.words, found.contexts), self._squares, strict=True)
        for vectors, gradient, squares in parts:
            squares.addcmul_(gradient, gradient)
            vectors.addcdiv_(gradient, squares.sqrt(), value=-self.spec.learning_rate)
        return found.loss

    def vectors(self) -> np.ndarray:
        """Return w_i + c_i, as the paper does (section 4.2), float32 [token dimension]."""
        total = self.words + self.contexts
        return total[:, : self.dimensions].numpy()


class ShuffledPairs:
    """Minibatches on disk, each a random share of all pairs."""

    def __init__(self, folder: Path, count: int, tokens: int, spec: GloveSpec) -> None:
        """Name the folder, the number of minibatches, the size of the vocabulary, and what weighs the counts."""
        self.folder, self.tokens, self._count, self._spec = folder, tokens, count, spec
        self.entries = 0

    def __len__(self) -> int:
        return self._count

    def write(self, number: int, pairs: Pairs) -> None:
        """Write a minibatch, ready to be stepped through."""
        batch = make_minibatch(pairs, self.tokens, self._spec.x_max, self._spec.alpha)
        self.entries += len(batch.columns)
        whole = np.concatenate([part.numpy().view(np.int32) for part in batch])
        whole.tofile(self.folder / f"{number}.batch")

    def read(self, number: int) -> Minibatch:
        """Return a minibatch."""
        whole = torch.from_numpy(np.fromfile(self.folder / f"{number}.batch", dtype=np.int32))
        starts, rest = whole[: self.tokens + 1], whole[self.tokens + 1 :]
        columns, mirror, logarithms, importance = rest.view(4, -1)
        return Minibatch(starts, columns, mirror, logarithms.view(torch.float32), importance.view(torch.float32))


@contextmanager
def shuffle_pairs(counts: CooccurrenceFile, tokens: int, spec: GloveSpec, parent: Path) -> Iterator[ShuffledPairs]:
    """Yield the pairs dealt out to minibatches, in a folder that is gone afterwards.

    Args:
        counts: the pairs.
        tokens: size of the vocabulary.
        spec: size of a minibatch, bound of memory, seed, and what weighs the counts.
        parent: where the folder is made.
    """
    memory = spec.memory_mb * 2**20
    count = max(1, -(-len(counts) // spec.batch_pairs))
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=parent, prefix=".pairs-") as name:
        folder = Path(name)
        files = [folder / f"{number}.pairs" for number in range(count)]
        for file in files:
            file.touch()
        for block in counts.blocks(memory // BYTES_PER_PAIR):
            place = _deal(block.pair, count, spec.seed)
            order = np.argsort(place, kind="stable")
            starts = np.searchsorted(place[order], np.arange(count + 1))
            for file, (start, end) in zip(files, pairwise(starts), strict=True):
                chosen = order[start:end]
                append_pairs(file, Pairs(block.pair[chosen], block.weight[chosen]))
        batches = ShuffledPairs(folder, count, tokens, spec)
        for number, file in enumerate(files):
            batches.write(number, CooccurrenceFile(file).read())
            file.unlink()
        yield batches


def _deal(pair: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the minibatch of each pair: a hash of pair and seed, so that no order of reading matters."""
    mixed = (pair + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    return np.asarray((mixed >> np.uint64(32)) % np.uint64(count)).astype(np.int64)
