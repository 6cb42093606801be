"""How long what is left of a study will take and how much disk it will fill, by arithmetic and one short measurement.

Which jobs are left, Snakemake says. What a training token costs, in floating point operations, each family says in its
specification; as a rule it follows from the shapes of the weights. The machine's speed is measured on small matrix
products, of which training reaches a part.
"""

import math
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from nextchapter.flow import Flow
from nextchapter.parts import Parts
from nextchapter.shelf import COMPRESSIONS, ShelfFile
from nextchapter.spec.corpus import TextSplitsSource
from nextchapter.spec.gradient_lab import GradientsSpec
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
"""Validation and writing, against training."""
JOB_S = 4.0
"""Start of a job, and what a small one does; measured in the default study, 84 jobs apart from the training."""
BYTES_PER_S = {"clean_books": 4.3e6, "find_duplicates": 4.5e6, "split_corpus": 6.5e6}
"""Text that a job gets through, as docs/books.md measures it."""
TASK_TOKEN_OPERATIONS, TASK_SHARE = 6e5, 0.25
"""Operations that take as long as a token of a memory task, whose networks are small, and the share of all tokens that
it may read before it has passed or failed; measured in the default task."""
JACOBIAN_OPERATIONS = 5e10
"""Operations that take as long as a place of the gradient lab; measured with 384 hidden units."""
THREADS_POWER = 0.85
"""Two threads train 1.8 times as fast as one (LSTM of 2 x 512, batches of 32 x 64)."""
LEAST, MOST = 0.8, 1.5
"""The range of what an estimate of one may turn out to be."""
_WEIGHT_COPIES = 6  # the model, its copy in MLflow, a checkpoint with two moments and the best weights
_TABLE_COPIES = 2  # the model and its copy in MLflow
_TEXT_COPIES = 4  # the book, its chapters twice, its tokens
_PER_RUN_BYTES, _SHARED_BYTES = 1_500_000, 6_000_000  # figures, event log, report, database


class Job(NamedTuple):
    """A job that Snakemake will start."""

    rule: str
    name: str = ""
    """The run, embedding, shard of the shelf, or `TASK/NETWORK` it works on."""


class Work(NamedTuple):
    """What a job takes."""

    seconds: float
    threads: int = 1


class Estimate(NamedTuple):
    """What is to come."""

    least_s: float
    most_s: float
    disk_bytes: int


def jobs_of(planned: Iterable[Any]) -> list[Job]:
    """Return the jobs of Snakemake's plan by rule and name, the one that only gathers files apart."""
    return [
        Job(job.rule.name, "/".join(value for key, value in job.wildcards_dict.items() if key != "study"))
        for job in planned
        if job.rule.name != "all"
    ]


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
    run, characters = flow.runs[name][0], split_characters(flow)
    per_token = flow.study.tokenizers[run.tokenizer].characters_per_token
    if flow.members[name]:
        return characters.valid / per_token
    return budget_tokens(run, characters.train / per_token)


def expected_weights(flow: Flow, name: str) -> Weights:
    """Return the numbers of weights of a run's model; one made of others has theirs, and trains none of them."""
    run, members = flow.runs[name][0], flow.members[name]
    if members:
        return Weights(looked_up=sum(expected_weights(flow, member).total for member in members))
    return run.model.weights(flow.study.tokenizers[run.tokenizer].expected_size)


class SplitCharacters(NamedTuple):
    """About how many characters the chapters of each split have."""

    train: float
    valid: float
    test: float


def split_characters(flow: Flow) -> SplitCharacters:
    """Return about how many characters each split has, as far as the books are there."""
    if len(flow.given_splits) > 1:
        return SplitCharacters(*map(_text_bytes, flow.files))
    source, text = flow.study.corpus.source, _shelf_bytes(flow)
    split = source if isinstance(source, TextSplitsSource) else flow.study.corpus.split
    train_share = 1 - split.valid_share - split.test_share
    return SplitCharacters(text * train_share, text * split.valid_share, text * (split.test_share or split.valid_share))


def _shelf_bytes(flow: Flow) -> int:
    return sum(map(_text_bytes, flow.files))


def _text_bytes(file: ShelfFile) -> int:
    if not file.path.is_file():
        return NOVEL_BYTES
    return file.path.stat().st_size * (COMPRESSION if file.path.suffix.lower() in COMPRESSIONS else 1)


def estimate(flow: Flow, jobs: Iterable[Job], cores: int, operations_per_s: float) -> Estimate:
    """Return time and disk for some jobs of a study, each on one core but for runs on more threads.

    Args:
        flow: the study.
        jobs: those that are to be done.
        cores: how many of them at once.
        operations_per_s: of one core, as `measure_core` returns it.
    """
    jobs = list(jobs)
    work = [
        Work(
            JOB_S + _work_s(flow, job, operations_per_s),
            min(cores, flow.train_threads(job.name)) if job.rule == "train_model" else 1,
        )
        for job in jobs
    ]
    expected_s = schedule(work, cores)
    return Estimate(LEAST * expected_s, MOST * expected_s, _disk_bytes(flow, jobs))


def _work_s(flow: Flow, job: Job, operations_per_s: float) -> float:
    """Return how long a job works, its start and what any job does apart."""
    match job.rule:
        case "train_model":
            return _training_s(flow, job.name, operations_per_s) * (1 + EVALUATION_SHARE)
        case "evaluate_model":
            characters, tokenizer = split_characters(flow), flow.study.tokenizers[flow.runs[job.name][0].tokenizer]
            tokens = (characters.valid + characters.test) / tokenizer.characters_per_token
            return _reading_s(flow, job.name, tokens, operations_per_s)
        case "train_embedding":
            return _embedding_operations(flow, job.name) / (operations_per_s * VECTOR_EFFICIENCY)
        case "train_tasks":
            return _task_operations(flow.parts, *job.name.split("/")) / operations_per_s
        case "measure_gradients":
            return _gradients_operations(flow.parts) / operations_per_s
        case "clean_books":
            return sum(map(_text_bytes, flow.shards[job.name])) / BYTES_PER_S[job.rule]
        case "find_duplicates" | "split_corpus":
            return _shelf_bytes(flow) / BYTES_PER_S[job.rule]
        case _:
            return 0.0


def _training_s(flow: Flow, name: str, operations_per_s: float) -> float:
    """Return how long a run trains; one made of others only reads the validation split by them."""
    training, tokens = flow.runs[name][0].training, expected_tokens(flow, name)
    if flow.members[name]:
        return _reading_s(flow, name, tokens, operations_per_s)
    training_s = _learning_s(flow, name, tokens, operations_per_s)
    if training.max_seconds is None or flow.runs[name][0].model.reads_once:
        return training_s
    return min(training_s, training.max_seconds)


def _learning_s(flow: Flow, name: str, tokens: float, operations_per_s: float) -> float:
    """Return how long a run learns from some tokens."""
    run, _ = flow.runs[name]
    speed = operations_per_s * run.model.efficiency * math.pow(flow.train_threads(name), THREADS_POWER)
    return operations(run, flow.study.tokenizers[run.tokenizer].expected_size, tokens) / speed


def _reading_s(flow: Flow, name: str, tokens: float, operations_per_s: float) -> float:
    """Return how long a run scores some tokens: without gradients, a third of learning; one made of others by each."""
    if not flow.members[name]:
        return _learning_s(flow, name, tokens, operations_per_s) / 3
    theirs = sum(_reading_s(flow, member, tokens, operations_per_s) for member in flow.members[name])
    return flow.runs[name][0].model.reading_cost * theirs


def _embedding_operations(flow: Flow, name: str) -> float:
    vectors = flow.study.embeddings[name]
    return vectors.operations(
        split_characters(flow).train / flow.study.tokenizers[vectors.tokenizer].characters_per_token
    )


def _task_operations(parts: Parts, task: str, network: str) -> float:
    """Return the operations of a network's climb in a memory task, as many as would take as long."""
    trials = parts.tasks.trials_of(task, network)
    most: int = sum(trials["lengths"]) * trials["steps"] * trials["batch_size"] * len(trials["learning_rates"])
    return TASK_SHARE * most * TASK_TOKEN_OPERATIONS


def _gradients_operations(parts: Parts) -> float:
    """Return the same of the gradient lab, which measures each run before and after training, and a few fresh cells."""
    settings = parts.gradients or GradientsSpec()
    return 2 * (len(parts.recurrent_runs) + 1) * settings.jacobian_places * JACOBIAN_OPERATIONS


def _disk_bytes(flow: Flow, jobs: Iterable[Job]) -> int:
    """Return what models, embeddings and texts will take on the disk."""
    weights, tables_bytes, runs = 0, 0.0, 0
    for rule, name in jobs:
        if rule == "train_model":
            runs += 1
            weights += expected_weights(flow, name).total
            tables_bytes += _TABLE_COPIES * _table_bytes(flow, name)
        elif rule == "train_embedding":
            vectors = flow.study.embeddings[name]
            tokenizer = flow.study.tokenizers[vectors.tokenizer]
            tokens = split_characters(flow).train / tokenizer.characters_per_token
            tables_bytes += vectors.disk_bytes(tokens, tokenizer.expected_size)
    shared = _TEXT_COPIES * _shelf_bytes(flow) + _SHARED_BYTES
    return 4 * _WEIGHT_COPIES * weights + round(tables_bytes) + _PER_RUN_BYTES * runs + shared


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
