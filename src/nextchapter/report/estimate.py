"""How long a study will take and how much disk it will fill, by arithmetic and one short measurement.

The operations of a training token follow from the shapes of the weights: two for each weight in a product forwards, and
twice as many backwards. The machine's speed is measured on small matrix products, of which training reaches a part.
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nextchapter.flow import Flow
from nextchapter.spec.models import Weights
from nextchapter.spec.study import RunSpec

NOVEL_BYTES = 700_000
"""Size of a book that has not been fetched yet."""
CHAPTER_TOKENS = 4_000
"""Length of a chapter, where a step reads whole ones."""
EFFICIENCY = 0.75
"""Share of the measured speed that training reaches; measured 0.5 (GRU of 128) to 0.95 (LSTM of 2 x 1024)."""
EVALUATION_SHARE = 0.06
"""Validation, scoring and writing, against training."""
JOB_S, JOBS_PER_RUN, SHARED_JOBS = 4.0, 5, 12
"""Start of a job, and how many there are."""
LEAST, MOST = 0.8, 1.5
"""The range of what an estimate of one may turn out to be."""
_WEIGHT_COPIES = 6  # the model, its copy in MLflow, a checkpoint with two moments and the best weights
_TABLE_COPIES = 2  # the model and its copy in MLflow
_TEXT_COPIES = 4  # the book, its chapters twice, its tokens
_PER_RUN_BYTES, _SHARED_BYTES = 1_500_000, 6_000_000  # figures, event log, report, database


class Estimate(NamedTuple):
    """What is to come."""

    least_s: float
    most_s: float
    disk_bytes: int


def operations_per_token(weights: Weights) -> int:
    """Return the floating point operations of one training token: 2 forwards and 4 backwards for each weight."""
    return 6 * (weights.recurrent + weights.output)


def budget_tokens(run: RunSpec, epoch_tokens: float) -> float:
    """Return how many tokens a run reads at most; a model that counts reads all of them once, whatever the budget.

    Args:
        run: the run.
        epoch_tokens: tokens of the training chapters.
    """
    if run.model.reads_once:
        return epoch_tokens
    training = run.training
    budgets: list[float] = []
    if training.max_tokens is not None:
        budgets.append(training.max_tokens)
    if training.max_steps is not None:
        length = CHAPTER_TOKENS if training.truncation == "chapter" else training.truncation
        budgets.append(training.max_steps * training.batch_size * length)
    if training.max_epochs is not None:
        budgets.append(training.max_epochs * epoch_tokens)
    return min(budgets)


def expected_tokens(flow: Flow, name: str) -> float:
    """Return how many tokens a run will read at most; a run made of others reads the validation split."""
    run, split = flow.runs[name][0], flow.study.corpus.split
    characters = shelf_bytes(flow) / flow.study.tokenizers[run.tokenizer].characters_per_token
    if flow.members[name]:
        return characters * split.valid_share
    return budget_tokens(run, characters * (1 - split.valid_share - split.test_share))


def expected_weights(flow: Flow, name: str) -> Weights:
    """Return the numbers of weights of a run's model; one made of others has theirs, and trains none of them."""
    run, members = flow.runs[name][0], flow.members[name]
    if members:
        return Weights(looked_up=sum(expected_weights(flow, member).total for member in members))
    return run.model.weights(flow.study.tokenizers[run.tokenizer].expected_size)


def shelf_bytes(flow: Flow) -> int:
    """Return the size of the books, as far as they are there."""
    return sum(file.path.stat().st_size if file.path.is_file() else NOVEL_BYTES for file in flow.files)


def estimate(flow: Flow, runs: Iterable[str], cores: int, operations_per_s: float) -> Estimate:
    """Return time and disk for some runs of a study, each on one core.

    Args:
        flow: the study.
        runs: names of those that are to be trained.
        cores: how many of them at once.
        operations_per_s: of one core, as `measure_core` returns it.
    """
    names, text = list(runs), shelf_bytes(flow)
    seconds, weights_total, tables_bytes = [], 0, 0.0
    for name in names:
        weights, tokens = expected_weights(flow, name), expected_tokens(flow, name)
        weights_total += weights.total
        tables_bytes += _table_bytes(flow, name)
        operations = operations_per_token(weights) * tokens
        seconds.append(operations / (operations_per_s * EFFICIENCY) * (1 + EVALUATION_SHARE) + JOBS_PER_RUN * JOB_S)
    shared_s = JOB_S * (SHARED_JOBS + len(flow.shards)) / cores
    expected_s = schedule(seconds, cores) + shared_s
    disk = 4 * _WEIGHT_COPIES * weights_total + _TABLE_COPIES * round(tables_bytes)
    disk += _TEXT_COPIES * text + _PER_RUN_BYTES * len(names) + _SHARED_BYTES
    return Estimate(LEAST * expected_s, MOST * expected_s, disk)


def _table_bytes(flow: Flow, name: str) -> float:
    """Return the most that a run's tables take on the disk, those of the runs that it is made of included."""
    own = flow.runs[name][0].model.table_bytes(expected_tokens(flow, name))
    return own + sum(_table_bytes(flow, member) for member in flow.members[name])


def schedule(seconds: Sequence[float], cores: int) -> float:
    """Return when the last of some jobs ends if each free core takes the longest that waits."""
    busy_until = [0.0] * max(1, cores)
    for length in sorted(seconds, reverse=True):
        first = busy_until.index(min(busy_until))
        busy_until[first] += length
    return max(busy_until)


def measure_core(duration_s: float = 0.08) -> float:
    """Return the single-precision operations that one core does in a second.

    The matrices are so small that no library of linear algebra spreads their product over threads.
    """
    import numpy as np

    size, count = 48, 64
    left, right = np.ones((count, size, size), np.float32), np.ones((count, size, size), np.float32)
    product = np.matmul(left, right)
    started, rounds = time.perf_counter(), 0
    while (elapsed_s := time.perf_counter() - started) < duration_s:
        np.matmul(left, right, out=product)
        rounds += 1
    return 2 * size**3 * count * rounds / elapsed_s
