"""How long a study will take and how much disk it will fill, by arithmetic and one short measurement.

What a training token costs, in floating point operations, each family says in its specification; as a rule it follows
from the shapes of the weights. The machine's speed is measured on small matrix products, of which training reaches a
part.
"""

import math
import time
from collections.abc import Iterable
from typing import NamedTuple

from nextchapter.flow import Flow
from nextchapter.shelf import COMPRESSIONS, ShelfFile
from nextchapter.spec.corpus import SplitSpec, TextSplitsSource
from nextchapter.spec.models import Weights
from nextchapter.spec.study import RunSpec

NOVEL_BYTES = 700_000
"""Size of a book that has not been fetched yet."""
COMPRESSION = 4
"""Times that a compressed text is longer."""
CHAPTER_TOKENS = 4_000
"""Length of a chapter, where a step reads whole ones."""
VECTOR_EFFICIENCY = 0.07
"""Share of a core's measured speed that embeddings reach, which multiply single vectors; measured 0.05 (GloVe), 0.07
(skip-gram), 0.08 (CBOW)."""
EVALUATION_SHARE = 0.06
"""Validation, scoring and writing, against training."""
JOB_S, JOBS_PER_RUN, JOBS_PER_EMBEDDING, SHARED_JOBS = 4.0, 5, 7, 12
"""Start of a job, and how many there are; a model with hidden states has one more, that tells what they mean."""
THREADS_POWER = 0.85
"""Two threads train 1.8 times as fast as one (LSTM of 2 x 512, batches of 32 x 64)."""
LEAST, MOST = 0.8, 1.5
"""The range of what an estimate of one may turn out to be."""
_WEIGHT_COPIES = 6  # the model, its copy in MLflow, a checkpoint with two moments and the best weights
_TABLE_COPIES = 2  # the model and its copy in MLflow
_TEXT_COPIES = 4  # the book, its chapters twice, its tokens
_PER_RUN_BYTES, _SHARED_BYTES = 1_500_000, 6_000_000  # figures, event log, report, database


class Work(NamedTuple):
    """A job that is to be done."""

    seconds: float
    threads: int = 1


class Estimate(NamedTuple):
    """What is to come."""

    least_s: float
    most_s: float
    disk_bytes: int


def operations(run: RunSpec, vocabulary_size: int, tokens: float) -> float:
    """Return the floating point operations of training on some tokens, of a sampled softmax those of its draws."""
    outputs = min(vocabulary_size, run.training.sampled_softmax or vocabulary_size)
    return tokens * run.model.operations_per_token(outputs, run.training.batch_size, _step_length(run))


def _step_length(run: RunSpec) -> int:
    """Return how many tokens of each sequence a step reads."""
    return CHAPTER_TOKENS if run.training.truncation == "chapter" else run.training.truncation


def budget_tokens(run: RunSpec, epoch_tokens: float) -> float:
    """Return how many tokens a run reads at most, if no clock ends it; a model that counts reads all of them once.

    Args:
        run: the run.
        epoch_tokens: tokens of all training chapters, of which it may read a share.
    """
    epoch_tokens *= run.train_share
    if run.model.reads_once:
        return epoch_tokens
    training = run.training
    budgets: list[float] = []
    if training.max_tokens is not None:
        budgets.append(training.max_tokens)
    if training.max_steps is not None:
        budgets.append(training.max_steps * training.batch_size * _step_length(run))
    if training.max_epochs is not None:
        budgets.append(training.max_epochs * epoch_tokens)
    return min(budgets, default=math.inf)


def expected_tokens(flow: Flow, name: str) -> float:
    """Return how many tokens a run will read at most; a run made of others reads the validation split."""
    run = flow.runs[name][0]
    per_token = flow.study.tokenizers[run.tokenizer].characters_per_token
    if flow.members[name]:
        return valid_characters(flow) / per_token
    return budget_tokens(run, train_characters(flow) / per_token)


def expected_weights(flow: Flow, name: str) -> Weights:
    """Return the numbers of weights of a run's model; one made of others has theirs, and trains none of them."""
    run, members = flow.runs[name][0], flow.members[name]
    if members:
        return Weights(looked_up=sum(expected_weights(flow, member).total for member in members))
    return run.model.weights(flow.study.tokenizers[run.tokenizer].expected_size)


def shelf_bytes(flow: Flow) -> int:
    """Return the size of the books, as far as they are there."""
    return sum(map(_text_bytes, flow.files))


def train_characters(flow: Flow) -> float:
    """Return about how many characters the training chapters have."""
    if len(flow.given_splits) > 1:
        return _text_bytes(flow.files[0])
    split = _shares(flow)
    return shelf_bytes(flow) * (1 - split.valid_share - split.test_share)


def valid_characters(flow: Flow) -> float:
    """Return about how many characters the validation chapters have."""
    if len(flow.given_splits) > 1:
        return _text_bytes(flow.files[1])
    return shelf_bytes(flow) * _shares(flow).valid_share


def _shares(flow: Flow) -> SplitSpec | TextSplitsSource:
    """Return what says how the text is shared out, where that is not done already."""
    source = flow.study.corpus.source
    return source if isinstance(source, TextSplitsSource) else flow.study.corpus.split


def _text_bytes(file: ShelfFile) -> int:
    if not file.path.is_file():
        return NOVEL_BYTES
    return file.path.stat().st_size * (COMPRESSION if file.path.suffix.lower() in COMPRESSIONS else 1)


def estimate(
    flow: Flow, runs: Iterable[str], cores: int, operations_per_s: float, embeddings: Iterable[str] = ()
) -> Estimate:
    """Return time and disk for some runs and embeddings of a study, each on one core but for runs on more threads.

    Args:
        flow: the study.
        runs: names of those that are to be trained.
        cores: how many of them at once.
        operations_per_s: of one core, as `measure_core` returns it.
        embeddings: names of those that are to be learned.
    """
    names, text = list(runs), shelf_bytes(flow)
    work: list[Work] = []
    weights_total, tables_bytes = 0, 0.0
    for name in embeddings:
        vectors = flow.study.embeddings[name]
        tokenizer = flow.study.tokenizers[vectors.tokenizer]
        tokens = train_characters(flow) / tokenizer.characters_per_token
        speed = operations_per_s * VECTOR_EFFICIENCY
        work.append(Work(vectors.operations(tokens) / speed + JOBS_PER_EMBEDDING * JOB_S))
        tables_bytes += vectors.disk_bytes(tokens, tokenizer.expected_size) / _TABLE_COPIES
    for name in names:
        weights, tokens = expected_weights(flow, name), expected_tokens(flow, name)
        weights_total += weights.total
        tables_bytes += _table_bytes(flow, name)
        training_s = _training_s(flow, name, tokens, operations_per_s)
        jobs = JOBS_PER_RUN + (name in flow.parts.runs_with_states)
        work.append(Work(training_s * (1 + EVALUATION_SHARE) + jobs * JOB_S, min(flow.train_threads(name), cores)))
    shared_s = JOB_S * (SHARED_JOBS + len(flow.shards)) / cores
    expected_s = schedule(work, cores) + shared_s
    disk = 4 * _WEIGHT_COPIES * weights_total + _TABLE_COPIES * round(tables_bytes)
    disk += _TEXT_COPIES * text + _PER_RUN_BYTES * len(names) + _SHARED_BYTES
    return Estimate(LEAST * expected_s, MOST * expected_s, disk)


def _training_s(flow: Flow, name: str, tokens: float, operations_per_s: float) -> float:
    """Return how long a run trains; one made of others reads by each of them without gradients, a third of the work."""
    run = flow.runs[name][0]
    if flow.members[name]:
        return sum(_training_s(flow, member, tokens, operations_per_s) for member in flow.members[name]) / 3
    vocabulary_size = flow.study.tokenizers[run.tokenizer].expected_size
    speed = operations_per_s * run.model.efficiency * math.pow(flow.train_threads(name), THREADS_POWER)
    training_s = operations(run, vocabulary_size, tokens) / speed
    if run.training.max_seconds is None or run.model.reads_once:
        return training_s
    return min(training_s, run.training.max_seconds)


def _table_bytes(flow: Flow, name: str) -> float:
    """Return the most that a run's tables take on the disk, those of the runs that it is made of included."""
    own = flow.runs[name][0].model.table_bytes(expected_tokens(flow, name))
    return own + sum(_table_bytes(flow, member) for member in flow.members[name])


def schedule(work: Iterable[Work], cores: int) -> float:
    """Return when the last of some jobs ends if the cores that are free first take the longest that waits."""
    busy_until = [0.0] * max(1, cores)
    for job in sorted(work, reverse=True):
        busy_until.sort()
        threads = min(job.threads, len(busy_until))
        busy_until[:threads] = [busy_until[threads - 1] + job.seconds] * threads
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
