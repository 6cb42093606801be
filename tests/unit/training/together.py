"""Not a test: a program that trains small runs in several processes, for `test_processes.py` to look at.

The processes import the program anew, so it stands in a file of its own. Its argument is a folder with `cases.json`:
rounds of runs, each round in so many processes; a run leaves its weights, state and losses in its own folder.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from nextchapter.models.protocol import LanguageModel
from nextchapter.models.registry import build_model, weights_of
from nextchapter.models.scoring import score_chapters
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.events import EventLog
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.batches import Batches, ChapterBatches, StreamBatches
from nextchapter.training.checkpoint import CheckpointFile
from nextchapter.training.launcher import run_in_processes
from nextchapter.training.loop import Trainer
from nextchapter.training.processes import Processes, join_processes
from nextchapter.training.progress import Progress

END, VOCABULARY = 1, 30


def train_case(case: dict[str, Any], folder: Path, processes: Processes) -> None:
    """Train a run up to `stop_at`, from its checkpoint if there is one; the first process writes what came out."""
    spec = TrainingSpec.model_validate(case["training"])
    stream = TokenStream.open(folder / "train.bin", "uint16")
    own = folder / case["name"]
    torch.manual_seed(1)
    model = build_model(case["model"], VOCABULARY).train()
    batches: Batches = ChapterBatches(stream, END, spec.batch_size, seed=1)
    if spec.truncation != "chapter":
        batches = StreamBatches(stream, END, spec.batch_size, spec.truncation, 1, spec.random_truncation)
    checkpoints = CheckpointFile(own / "checkpoint.pt", "key")
    processes.sum(0.0)  # the first may still be writing it
    checkpoint = checkpoints.load()

    def validate(model: LanguageModel) -> float:
        nats = float(sum(nats.sum() for nats in score_chapters(model, stream, END, 4, 50))) / len(stream.tokens)
        return nats if processes.is_first else -1.0  # what the others would find must not matter

    with ExitStack() as stack:
        events = None
        if processes.is_first:
            events = EventLog(own / "events.jsonl", committed_bytes=checkpoint["event_bytes"] if checkpoint else 0)
            stack.callback(events.close)
        progress = Progress("r", 0, shared_terminal=True)
        trainer = Trainer(model, batches, validate, spec, 1, events, checkpoints, progress, processes)
        if checkpoint:
            trainer.resume(checkpoint)
        if case.get("spoil_at"):
            spoil(trainer, case["spoil_at"])
        while trainer.counters.step < case.get("stop_at", 0):
            trainer._train_step()
        if case.get("stop_at"):
            trainer._save_checkpoint()
        else:
            trainer.run()
    if processes.is_first:
        result = {"weights": weights_of(model), "best": trainer.best_weights, "counters": vars(trainer.counters)}
        torch.save(result, own / "result.pt")


def spoil(trainer: Trainer, step: int) -> None:
    """Let the weights of the last process be no numbers after so many steps: its share of the loss is none."""
    advance = trainer._train_step

    def spoil_then_step() -> None:
        if trainer.counters.step == step and trainer.processes.rank == trainer.processes.count - 1:
            with torch.no_grad():
                next(trainer.model.parameters()).fill_(torch.nan)
        advance()

    trainer._train_step = spoil_then_step  # type: ignore[method-assign]


def train_cases(cases: list[dict[str, Any]], folder: Path) -> int:
    """Train several runs, one after the other, as one of the processes that share each."""
    torch.set_num_threads(1)
    with join_processes(torch.device("cpu")) as processes:
        for case in cases:
            train_case(case, folder, processes)
        return processes.count


if __name__ == "__main__":
    where = Path(sys.argv[1])
    for count, cases in json.loads((where / "cases.json").read_text()):
        if run_in_processes(count, train_cases, cases, where) != count:
            sys.exit(f"there were not {count} processes")
