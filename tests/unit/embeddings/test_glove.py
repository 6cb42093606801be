import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from nextchapter.embeddings.cooccurrence import CooccurrenceFile, Pairs, append_pairs, unpack
from nextchapter.embeddings.glove import (
    ACCUMULATOR_START,
    GloveTrainer,
    glove_gradients,
    make_minibatch,
    shuffle_pairs,
)
from nextchapter.spec.embeddings import GloveSpec

TOKENS, DIMENSIONS, X_MAX, ALPHA = 9, 3, 2.0, 0.75
SPEC = GloveSpec(tokenizer="t", dimensions=DIMENSIONS, x_max=X_MAX, alpha=ALPHA, batch_pairs=1000)


def make_pairs(tokens: int = TOKENS, seed: int = 0) -> Pairs:
    """Return about half of all pairs, those of a token with itself among them."""
    generator = np.random.default_rng(seed)
    low, high = np.triu_indices(tokens)
    chosen = np.sort(generator.permutation(len(low))[: len(low) // 2])
    return Pairs(((low << 28) | high)[chosen].astype(np.uint64), generator.gamma(1.0, 3.0, len(chosen)))


def dense_counts(pairs: Pairs, tokens: int = TOKENS) -> np.ndarray:
    """Return X as a matrix: each pair adds its count at (i, j) and at (j, i), so to X_ii twice."""
    dense = np.zeros((tokens, tokens))
    for low, high, weight in zip(*unpack(pairs.pair), pairs.weight, strict=True):
        dense[low, high] += weight
        dense[high, low] += weight
    return dense


def objective(words: Tensor, contexts: Tensor, dense: np.ndarray) -> float:
    """Return eq. 8 by the double loop that it is."""
    total = 0.0
    for i in range(len(dense)):
        for j in range(len(dense)):
            if dense[i, j] > 0:
                error = (
                    sum(float(words[i, k] * contexts[j, k]) for k in range(DIMENSIONS))
                    + float(words[i, DIMENSIONS])
                    + float(contexts[j, DIMENSIONS + 1])
                    - math.log(dense[i, j])
                )
                total += min(1.0, (dense[i, j] / X_MAX) ** ALPHA) * error**2
    return total


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def parameters() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    words, contexts = torch.randn(2, TOKENS, DIMENSIONS + 2, generator=generator, dtype=torch.float64)
    words[:, -1], contexts[:, -2] = 1.0, 1.0
    return words, contexts


def test_a_minibatch_is_the_symmetric_matrix_and_its_mirror_the_transpose() -> None:
    pairs = make_pairs()
    batch = make_minibatch(pairs, TOKENS, X_MAX, ALPHA, torch.float64)
    dense = dense_counts(pairs)
    rows = np.repeat(np.arange(TOKENS), np.diff(batch.row_starts))
    assert len(rows) == (dense > 0).sum()
    np.testing.assert_allclose(batch.logarithms.exp(), dense[rows, batch.columns], rtol=1e-12)
    expected = [
        min(1.0, (dense[row, column] / X_MAX) ** ALPHA) for row, column in zip(rows, batch.columns, strict=True)
    ]
    np.testing.assert_allclose(batch.importance, expected, rtol=1e-12)
    assert np.array_equal(rows[batch.mirror], batch.columns)
    assert np.array_equal(batch.columns[batch.mirror], rows)


def test_the_objective_is_that_of_a_double_loop(parameters: tuple[Tensor, Tensor]) -> None:
    pairs = make_pairs()
    found = glove_gradients(*parameters, make_minibatch(pairs, TOKENS, X_MAX, ALPHA, torch.float64))
    assert found.loss == pytest.approx(objective(*parameters, dense_counts(pairs)), rel=1e-12)


def test_the_gradients_are_those_of_the_double_loop_by_finite_differences(parameters: tuple[Tensor, Tensor]) -> None:
    pairs, step = make_pairs(), 1e-5
    dense = dense_counts(pairs)
    found = glove_gradients(*parameters, make_minibatch(pairs, TOKENS, X_MAX, ALPHA, torch.float64))
    for moved, gradient, fixed in zip(parameters, (found.words, found.contexts), (-1, -2), strict=True):
        for i in range(TOKENS):
            for k in set(range(DIMENSIONS + 2)) - {DIMENSIONS + 2 + fixed}:
                value = float(moved[i, k])
                moved[i, k] = value + step
                above = objective(*parameters, dense)
                moved[i, k] = value - step
                below = objective(*parameters, dense)
                moved[i, k] = value
                assert float(gradient[i, k]) == pytest.approx((above - below) / (4 * step), rel=1e-6, abs=1e-8)


def test_gradients_of_a_case_worked_by_hand() -> None:
    """X_01 = X_10 = 1, f = (1/4)^0.5 = 1/2; w_0.c_1 + b_0 + b'_1 = 2*3 + 1 + 4 = 11 and w_1.c_0 + b_1 + b'_0 = -3."""
    pairs = Pairs(np.array([1], dtype=np.uint64), np.array([1.0]))
    words = torch.tensor([[2.0, 1.0, 1.0], [1.0, -2.0, 1.0]])
    contexts = torch.tensor([[-1.0, 1.0, 0.0], [3.0, 1.0, 4.0]])
    found = glove_gradients(words, contexts, make_minibatch(pairs, 2, x_max=4.0, alpha=0.5))
    assert found.loss == 0.5 * 11**2 + 0.5 * 3**2
    assert found.words[:, :2].tolist() == [[5.5 * 3, 5.5], [-1.5 * -1, -1.5]]
    assert found.contexts[:, [0, 2]].tolist() == [[-1.5 * 1, -1.5], [5.5 * 2, 5.5]]


def test_a_step_is_adagrad_and_leaves_the_ones(tmp_path: Path) -> None:
    trainer, batch = GloveTrainer(TOKENS, SPEC), make_minibatch(make_pairs(), TOKENS, X_MAX, ALPHA)
    for _ in range(2):
        before = trainer.words.clone(), trainer.contexts.clone()
        squares = [part.clone() for part in trainer._squares]
        found = glove_gradients(*before, batch)
        trainer.step(batch)
        for new, old, gradient, square, ones in zip(
            (trainer.words, trainer.contexts), before, (found.words, found.contexts), squares, (-1, -2), strict=True
        ):
            expected = old - SPEC.learning_rate * gradient / (square + gradient**2).sqrt()
            expected[:, ones] = 1.0
            torch.testing.assert_close(new, expected)
    assert ACCUMULATOR_START > 0


def _write_file(path: Path, pairs: Pairs) -> CooccurrenceFile:
    append_pairs(path, pairs)
    return CooccurrenceFile(path)


def test_every_pair_is_in_one_minibatch_and_the_folder_goes(tmp_path: Path) -> None:
    pairs = make_pairs(tokens=150)
    counts = _write_file(tmp_path / "x.bin", pairs)
    with shuffle_pairs(counts, 150, SPEC, tmp_path / "scratch") as batches:
        assert len(batches) == -(-len(counts) // 1000)
        parts = [batches.read(number) for number in range(len(batches))]
        assert batches.entries == (dense_counts(pairs, 150) > 0).sum()
        assert max(len(part.columns) for part in parts) < 2 * 1000 * 1.2
    together = np.zeros((150, 150))
    for part in parts:
        rows = np.repeat(np.arange(150), np.diff(part.row_starts))
        np.add.at(together, (rows, part.columns.numpy()), part.logarithms.exp().numpy())
    np.testing.assert_allclose(together, dense_counts(pairs, 150), rtol=2e-6)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_bound_of_memory_changes_no_minibatch(tmp_path: Path) -> None:
    counts = _write_file(tmp_path / "x.bin", make_pairs(tokens=200))
    written = []
    for memory_mb in (1, 256):
        with shuffle_pairs(counts, 200, SPEC.model_copy(update={"memory_mb": memory_mb}), tmp_path) as batches:
            written.append([(batches.folder / f"{number}.batch").read_bytes() for number in range(len(batches))])
    assert len(written[0]) == -(-len(counts) // 1000) > 1
    assert written[0] == written[1]


def test_a_bound_too_small_for_a_minibatch_is_refused() -> None:
    assert GloveSpec(tokenizer="t", memory_mb=58).batch_pairs == 300_000
    with pytest.raises(
        ValidationError, match=r"memory_mb: found 57; .* at least 58, or batch_pairs of at most 298,844"
    ):
        GloveSpec(tokenizer="t", memory_mb=57)


def _train(counts: CooccurrenceFile, folder: Path, seed: int = 1, threads: int = 1) -> tuple[np.ndarray, list[float]]:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        trainer = GloveTrainer(150, SPEC.model_copy(update={"seed": seed}))
        with shuffle_pairs(counts, 150, trainer.spec, folder) as batches:
            losses = [trainer.train_epoch(batches) for _ in range(10)]
        return trainer.vectors().copy(), losses
    finally:
        torch.set_num_threads(before)


def test_training_lowers_the_objective_and_depends_on_the_seed_alone(tmp_path: Path) -> None:
    counts = _write_file(tmp_path / "x.bin", make_pairs(tokens=150))
    vectors, losses = _train(counts, tmp_path)
    assert losses[-1] < 0.7 * losses[0]
    assert vectors.shape == (150, DIMENSIONS)
    assert np.array_equal(vectors, _train(counts, tmp_path)[0])
    for threads in (2, 3):
        again = _train(counts, tmp_path, threads=threads)
        assert np.array_equal(vectors, again[0])
        assert losses == again[1]
    assert not np.array_equal(vectors, _train(counts, tmp_path, seed=2)[0])


def test_a_matrix_that_is_exactly_of_low_rank_is_found_again(tmp_path: Path) -> None:
    """ln X_ij = a_i . a_j + s_i + s_j has an objective of 0; AdaGrad comes near it."""
    generator = np.random.default_rng(3)
    truth, shift = generator.normal(0, 0.5, (30, 2)), generator.normal(0, 0.5, 30)
    low, high = np.triu_indices(30)
    logarithms = (truth @ truth.T + shift[:, None] + shift)[low, high]
    weight = np.exp(logarithms) / np.where(low == high, 2, 1)
    counts = _write_file(tmp_path / "x.bin", Pairs(((low << 28) | high).astype(np.uint64), weight))
    trainer = GloveTrainer(30, SPEC)
    with shuffle_pairs(counts, 30, SPEC, tmp_path) as batches:
        losses = [trainer.train_epoch(batches) for _ in range(150)]
    assert losses[-1] < 3e-3 < losses[0]
