"""Train one run: from its first step, or from the checkpoint that a killed call left."""

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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextchapter.stages.command import LOGGER, Job, StageError, execute

if TYPE_CHECKING:
    from nextchapter.models.protocol import LanguageModel
    from nextchapter.store.events import Listener
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.training.loop import Trainer

WORK = Path(".work/train_model")
TRACKING = "NEXTCHAPTER_TRACKING"
"""Set by the workflow: the settings of tracking, as JSON. Where it is set, other jobs share the terminal."""


def train_model(job: Job) -> None:
    """Train on `train_tokens`, from `vectors` if there are any, choose weights on `valid_tokens`.

    Writes `model`, `events` and `provenance`.
    """
    from nextchapter.models.protocol import count_parameters
    from nextchapter.models.registry import save_model, set_weights
    from nextchapter.spec.base import digest
    from nextchapter.store.files import atomic_path, read_json, sha256_of, write_json
    from nextchapter.training.loop import InterruptedRunError, TrainingDivergedError

    spec, facts = job.spec, read_json(job.path("facts"))
    inputs = {split: facts["splits"][split]["sha256"] for split in ("train", "valid")}
    inputs.update(("vectors", sha256_of(path)) for path in job.paths("vectors"))
    run_key = digest({**spec, "inputs": inputs, "code": job.code, "threads": job.threads})
    folder = WORK / spec["study"] / spec["run"]
    started = time.time()
    with ExitStack() as stack:
        trainer = _prepare(job, facts, run_key, folder, stack)
        try:
            counters = trainer.run()
        except (TrainingDivergedError, InterruptedRunError) as error:
            raise StageError(str(error)) from error
    set_weights(trainer.model, trainer.best_weights)
    save_model(job.path("model"), trainer.model, spec["model"])
    with atomic_path(job.path("events")) as temporary:
        shutil.copyfile(folder / "events.jsonl", temporary)
    provenance = {
        **spec,
        "inputs": inputs,
        "code": job.code,
        "run_key": run_key,
        "vocabulary_size": facts["vocabulary_size"],
        "parameters": count_parameters(trainer.model),
        "device": trainer.model.device.type,
        "threads": job.threads,
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


def _prepare(job: Job, facts: dict[str, Any], run_key: str, folder: Path, stack: ExitStack) -> "Trainer":
    """Build model, batches and trainer; resume from the checkpoint of this very run if there is one."""
    import torch

    from nextchapter.models.registry import build_model
    from nextchapter.spec.training import TrainingSpec
    from nextchapter.store.events import EventLog
    from nextchapter.training.batches import Batches, ChapterBatches, StreamBatches
    from nextchapter.training.checkpoint import CheckpointFile
    from nextchapter.training.devices import choose_device, prepare_torch
    from nextchapter.training.loop import Trainer, budget_steps
    from nextchapter.training.progress import Progress

    spec, seed = TrainingSpec.model_validate(job.spec["training"]), job.spec["seed"]
    prepare_torch(job.threads)
    device = choose_device(spec.device)
    torch.manual_seed(seed)
    stream, end = _open(job, "train", facts), facts["end_of_chapter"]
    model = build_model(job.spec["model"], facts["vocabulary_size"])
    model.prepare(stream, end)
    _start_from_vectors(model, job)
    model.to(device).train()
    batches: Batches
    if spec.truncation == "chapter":
        batches = ChapterBatches(stream, end, spec.batch_size, seed)
    else:
        batches = StreamBatches(stream, end, spec.batch_size, spec.truncation, seed)
    checkpoints = CheckpointFile(folder / "checkpoint.pt", run_key)
    log = folder / "events.jsonl"
    checkpoint = checkpoints.load()
    if checkpoint and not (log.is_file() and log.stat().st_size >= checkpoint["event_bytes"]):
        LOGGER.warning("the event log is shorter than its checkpoint says; the run starts anew")
        checkpoint = None
    events = EventLog(
        log,
        listeners=_listeners(job, run_key, stack),
        committed_bytes=checkpoint["event_bytes"] if checkpoint else 0,
    )
    stack.callback(events.close)
    done = checkpoint["counters"]["tokens"] if checkpoint else 0
    total = round(budget_steps(spec, batches) * batches.tokens_per_epoch / batches.steps_per_epoch)
    progress = Progress(job.spec["run"], total, done, shared_terminal=TRACKING in os.environ)
    stack.callback(progress.close)
    trainer = Trainer(model, batches, _validation(job, facts), spec, seed, events, checkpoints, progress)
    if checkpoint:
        trainer.resume(checkpoint)
        step = trainer.counters.step
        LOGGER.info("resumes from step %d of %d", step, trainer.total_steps)
        events.append("resume", step, tokens=done)
    else:
        LOGGER.info("starts: %d steps of %d tokens on %s", trainer.total_steps, total, device)
        events.append("start", 0, tokens=0)
    return trainer


def _start_from_vectors(model: "LanguageModel", job: Job) -> None:
    """Put learned vectors into a new model, if the run names any."""
    import torch

    from nextchapter.embeddings.vectors import load_vectors
    from nextchapter.models.starting import start_vectors

    for path in job.paths("vectors"):
        vectors, known = load_vectors(path)
        start_vectors(model, torch.from_numpy(vectors), torch.from_numpy(known))


def _open(job: Job, split: str, facts: dict[str, Any]) -> "TokenStream":
    from nextchapter.tokens.stream import TokenStream

    return TokenStream.open(job.path(f"{split}_tokens"), facts["dtype"])


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
    inputs = ["facts", "train_tokens", "valid_tokens", "vectors*"]
    return execute(train_model, inputs=inputs, outputs=["model", "events", "provenance"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
