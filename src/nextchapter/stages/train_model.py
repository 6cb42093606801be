"""Train one run, from its first step or from the checkpoint that a killed call left; or fit it in one reading."""

import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextchapter.spec.tracking import TRACKING
from nextchapter.stages.command import LOGGER, Job, StageError, execute, open_log

if TYPE_CHECKING:
    from nextchapter.models.protocol import LanguageModel
    from nextchapter.store.events import EventLog, Listener
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.training.checkpoint import CheckpointFile
    from nextchapter.training.loop import Counters, Trainer
    from nextchapter.training.processes import Processes

WORK = Path(".work/train_model")


def train_model(job: Job) -> None:
    """Train on `train_tokens`, from `vectors` if there are any, choose weights on `valid_tokens`.

    A run made of others takes the models in `members`, and is fitted to `valid_tokens`. With a `train_share`, no more
    than that share of the training chapters is looked at. Writes `model`, `events` and `provenance`. Several processes,
    if the specification asks for them, share `threads`; their number is no part of the run's key, so that a checkpoint
    serves any number of them.
    """
    from nextchapter.models.protocol import count_parameters
    from nextchapter.models.registry import read_header, save_model
    from nextchapter.spec.base import digest
    from nextchapter.store.files import atomic_path, read_json, sha256_of, write_json

    spec, facts, processes = job.spec, read_json(job.path("facts")), job.spec["training"].get("processes", 1)
    job = replace(job, threads=max(1, job.threads // processes))
    inputs = {split: facts["splits"][split]["sha256"] for split in ("train", "valid")}
    inputs.update(("vectors", sha256_of(path)) for path in job.paths("vectors"))
    inputs.update((name, sha256_of(path)) for name, path in _members(job))
    training = {key: value for key, value in spec["training"].items() if key != "processes"}
    computed = {**spec, "training": training}
    run_key = digest({**computed, "inputs": inputs, "code": job.code, "threads": job.threads})
    folder = WORK / spec["study"] / spec["run"]
    started = time.time()
    with ExitStack() as stack:
        learn = _learn if processes == 1 else _learn_together
        model, counters = learn(job, facts, run_key, folder, stack)
    given, headers = _open_training(job, facts), [read_header(path) for _, path in _members(job)]
    save_model(job.path("model"), model, spec["model"], headers or None)
    with atomic_path(job.path("events")) as temporary:
        shutil.copyfile(folder / "events.jsonl", temporary)
    provenance = {
        **spec,
        "inputs": inputs,
        "code": job.code,
        "run_key": run_key,
        "vocabulary_size": facts["vocabulary_size"],
        "train_chapters": given.chapters,
        "train_tokens": len(given.tokens),
        "parameters": count_parameters(model),
        "device": model.device.type,
        "threads": job.threads,
        "processes": processes,
        "steps": counters.step,
        "tokens": counters.tokens,
        "best_step": counters.best_step,
        "stopped_by": counters.stopped_by,
        "valid_nats_per_token": counters.best_valid_nats,
        "train_seconds": round(counters.train_s, 2),
        "train_tokens_per_s": round(counters.tokens / counters.train_s, 1),
        "started": round(started, 3),
        "finished": round(time.time(), 3),
        **_surroundings(),
    }
    write_json(job.path("provenance"), provenance)
    LOGGER.info("ended by %s at step %d, best at %d", counters.stopped_by, counters.step, counters.best_step)


def _learn(
    job: Job, facts: dict[str, Any], run_key: str, folder: Path, stack: ExitStack
) -> "tuple[LanguageModel, Counters]":
    """Return the model with the weights to keep, and where its run ended: fitted in one reading, or trained."""
    from nextchapter.models.protocol import CountedModel, Wrapper
    from nextchapter.models.registry import set_weights
    from nextchapter.training.checkpoint import CheckpointFile
    from nextchapter.training.loop import InterruptedRunError, TrainingDivergedError
    from nextchapter.training.processes import Processes

    model = _build(job, facts)
    if isinstance(model, (CountedModel, Wrapper)):
        CheckpointFile(folder / "checkpoint.pt", run_key).remove()
        events = _open_events(job, run_key, folder, stack)
        stream = _open(job, "valid", facts) if isinstance(model, Wrapper) else _open_training(job, facts)
        # By name: `Flow.code` counts these modules as code of those runs only that need them.
        counting = importlib.import_module("nextchapter.training.counting")
        return model, counting.fit_model(model, stream, facts["end_of_chapter"], _validation(job, facts), events)
    trainer = _prepare(job, facts, model, run_key, folder, stack, Processes())
    try:
        counters = trainer.run()
    except (TrainingDivergedError, InterruptedRunError) as error:
        raise StageError(str(error)) from error
    set_weights(model, trainer.best_weights)
    return model, counters


def _learn_together(
    job: Job, facts: dict[str, Any], run_key: str, folder: Path, stack: ExitStack
) -> "tuple[LanguageModel, Counters]":
    """Return what several processes leave in the checkpoint of their finished run."""
    from nextchapter.models.registry import set_weights
    from nextchapter.training.checkpoint import CheckpointFile
    from nextchapter.training.loop import Counters

    del stack
    count, checkpoints = job.spec["training"]["processes"], CheckpointFile(folder / "checkpoint.pt", run_key)
    launcher = importlib.import_module("nextchapter.training.launcher")
    LOGGER.info("starts %d processes", count)
    try:
        problem = launcher.run_in_processes(count, _train_own_share, job, facts, run_key, folder)
    except (launcher.StoppedError, launcher.ProcessDiedError) as error:
        kept = checkpoints.load()
        left = f"goes on from step {kept['counters']['step']}" if kept else "starts anew, there is no checkpoint yet"
        raise StageError(f"{error}; another call {left}") from error
    result = None if problem else checkpoints.load()
    if result is None:
        raise StageError(problem or f"{checkpoints.path} is gone, with what was learnt; call again")
    model = _build(job, facts)
    set_weights(model, result["best_weights"])
    return model, Counters(**result["counters"])


def _train_own_share(job: Job, facts: dict[str, Any], run_key: str, folder: Path) -> str | None:
    """Train as one of the processes that `_learn_together` starts; return what ended the run too early, if anything.

    The first process holds a lock as long as it writes: if the stage is killed, its processes live on for a moment.
    """
    from nextchapter.spec.base import SpecError
    from nextchapter.store.locks import only_writer
    from nextchapter.training.devices import take_own_device
    from nextchapter.training.loop import TrainingDivergedError
    from nextchapter.training.processes import join_processes

    try:
        device = take_own_device(
            job.spec["training"]["device"], job.spec["training"]["processes"], int(os.environ["LOCAL_RANK"])
        )
        with ExitStack() as stack:
            processes = stack.enter_context(join_processes(device))
            if processes.is_first:
                open_log(job)
                stack.enter_context(only_writer(folder))
            else:
                LOGGER.setLevel("CRITICAL")  # what all of them find out, one tells
            _prepare(job, facts, _build(job, facts), run_key, folder, stack, processes).run()
    except (SpecError, TrainingDivergedError) as error:
        return str(error)
    return None


def _build(job: Job, facts: dict[str, Any]) -> "LanguageModel":
    """Return the model as it is before it has learnt, on the device where it will."""
    import torch

    from nextchapter.models.registry import build_model, load_model
    from nextchapter.training.devices import choose_device, prepare_torch

    prepare_torch(job.threads)
    torch.manual_seed(job.spec["seed"])
    members = [load_model(path) for _, path in _members(job)]
    model = build_model(job.spec["model"], facts["vocabulary_size"], members or None)
    _start_from_vectors(model, job)
    model = model.to(choose_device(job.spec["training"]["device"])).train()
    model.prepare(_open_training(job, facts), facts["end_of_chapter"])
    return model


def _members(job: Job) -> list[tuple[str, Path]]:
    """Return the runs that this run is made of, each with the file of its model; none for most."""
    return list(zip(job.spec.get("members", ()), job.paths("members"), strict=True))


def _prepare(
    job: Job,
    facts: dict[str, Any],
    model: "LanguageModel",
    run_key: str,
    folder: Path,
    stack: ExitStack,
    processes: "Processes",
) -> "Trainer":
    """Build batches and trainer; resume from the checkpoint of this very run if there is one."""
    from nextchapter.spec.training import TrainingSpec
    from nextchapter.training.batches import Batches, ChapterBatches, StreamBatches
    from nextchapter.training.checkpoint import CheckpointFile
    from nextchapter.training.devices import check_precision
    from nextchapter.training.loop import Trainer
    from nextchapter.training.progress import Progress

    spec, seed = TrainingSpec.model_validate(job.spec["training"]), job.spec["seed"]
    check_precision(spec.precision, model.device)
    stream, end = _open_training(job, facts), facts["end_of_chapter"]
    batches: Batches
    if spec.truncation == "chapter":
        batches = ChapterBatches(stream, end, spec.batch_size, seed)
    else:
        batches = StreamBatches(
            stream, end, spec.batch_size, spec.truncation, seed, spec.random_truncation, spec.state_reset
        )
    checkpoints = CheckpointFile(folder / "checkpoint.pt", run_key)
    checkpoint = _load_checkpoint(checkpoints, folder / "events.jsonl", processes)
    committed_bytes, done = (checkpoint["event_bytes"], checkpoint["counters"]["tokens"]) if checkpoint else (0, 0)
    events = _open_events(job, run_key, folder, stack, committed_bytes) if processes.is_first else None
    other_jobs = TRACKING in os.environ  # the workflow sets it: others share the terminal
    progress = Progress(job.spec["run"], done, shared_terminal=other_jobs or processes.count > 1)
    stack.callback(progress.close)
    validate = _validation(job, facts)
    trainer = Trainer(model, batches, validate, spec, seed, events, checkpoints, progress, processes)
    if checkpoint:
        trainer.resume(checkpoint)
    _announce(trainer)
    return trainer


def _load_checkpoint(checkpoints: "CheckpointFile", log: Path, processes: "Processes") -> dict[str, Any] | None:
    """Return the checkpoint of this very run; where there is none, or not all of its log, any other is removed."""
    from nextchapter.store.events import is_whole

    goes_on = False
    if processes.is_first:
        checkpoints.remove_parts()
        checkpoint = checkpoints.load()
        goes_on = checkpoint is not None and is_whole(log, checkpoint["event_bytes"], checkpoint["event_sha256"])
        if checkpoint and not goes_on:
            LOGGER.warning("the event log is not the one of its checkpoint; the run starts anew")
        if not goes_on:
            checkpoints.remove()
    (goes_on,) = processes.any(goes_on)
    return checkpoints.load() if goes_on else None


def _announce(trainer: "Trainer") -> None:
    """Say where a run starts, on the terminal and in its log."""
    spec, counters = trainer.spec, trainer.counters
    budget = f"{trainer.total_steps:,} steps, {trainer.total_tokens:,} tokens"
    if spec.max_seconds is not None:
        budget = f"{spec.max_seconds:g} seconds of training"
    if counters.step:
        LOGGER.info("resumes from step %d of %s", counters.step, budget)
    else:
        LOGGER.info("starts: %s on %s", budget, trainer.model.device)
    if trainer.events is not None:
        trainer.events.append("resume" if counters.step else "start", counters.step, tokens=counters.tokens)


def _start_from_vectors(model: "LanguageModel", job: Job) -> None:
    """Put learned vectors into a new model, if the run names any."""
    import torch

    from nextchapter.models.starting import start_vectors

    for path in job.paths("vectors"):
        vectors, known = importlib.import_module("nextchapter.embeddings.vectors").load_vectors(path)
        start_vectors(model, torch.from_numpy(vectors), torch.from_numpy(known))


def _open_events(job: Job, run_key: str, folder: Path, stack: ExitStack, committed_bytes: int = 0) -> "EventLog":
    """Open the event log of the run, cut back to what is committed, and the live publisher behind it."""
    from nextchapter.store.events import EventLog

    events = EventLog(folder / "events.jsonl", _listeners(job, run_key, stack), committed_bytes)
    stack.callback(events.close)
    return events


def _open(job: Job, split: str, facts: dict[str, Any]) -> "TokenStream":
    from nextchapter.tokens.stream import TokenStream

    return TokenStream.open(job.path(f"{split}_tokens"), facts["dtype"])


def _open_training(job: Job, facts: dict[str, Any]) -> "TokenStream":
    """Return the training chapters: all, or the share of them that the run reads."""
    stream, share = _open(job, "train", facts), job.spec.get("train_share", 1)
    return stream if share == 1 else stream.share(share, job.spec["seed"])


def _validation(job: Job, facts: dict[str, Any]) -> "Callable[[LanguageModel], float]":
    """Return the function that scores a model on the validation chapters, in nats a token."""
    from nextchapter.models.scoring import score_chapters

    stream = _open(job, "valid", facts)

    def validate(model: "LanguageModel") -> float:
        nats = score_chapters(model, stream, facts["end_of_chapter"], batch_size=16, chunk_tokens=256)
        return float(sum(chapter.sum() for chapter in nats)) / len(stream.tokens)

    return validate


def _listeners(job: Job, run_key: str, stack: ExitStack) -> "tuple[Listener, ...]":
    """Return the live publisher, if the environment asks for one.

    It is loaded by name, and told where to publish by the environment: how metrics are shown is no part of what a run
    computes, so neither its code nor its settings may train the run again.
    """
    tracking = json.loads(os.environ.get(TRACKING, "{}"))
    if not tracking.get("live"):
        return ()
    publisher = importlib.import_module("nextchapter.tracking.publisher")
    live = publisher.open_publisher(job.spec, run_key, tracking["uri"], tracking["every_s"])
    return (stack.enter_context(live),)


def _surroundings() -> dict[str, Any]:
    """Return what the run was made with: versions, machine, commit."""
    from importlib.metadata import version

    packages = ("nextchapter", "torch", "numpy", "sentencepiece", "safetensors")
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    """Return the commit of the checkout, with `+` behind it where files differ from it; None outside of one."""
    git = shutil.which("git")
    if git is None:
        return None
    here = Path(__file__).parent
    commit = subprocess.run([git, "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)
    if commit.returncode:
        return None
    changed = subprocess.run([git, "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=False)
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    inputs = ["facts", "train_tokens", "valid_tokens", "vectors*", "members*"]
    return execute(train_model, inputs=inputs, outputs=["model", "events", "provenance"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
