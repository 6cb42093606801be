"""What live curves cost a training: without them, with a store, and with servers that refuse or never answer.

Each side is a process of its own, in turn, several times. A training of several minutes pays the start (importing
mlflow in a second thread) once; the median step is one after it. Processor time of the training's own thread can be
compared on a machine that does other things too; what the publisher uses stands beside it. Two minutes a round.
"""

import argparse
import json
import logging
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS, COMMIT_STEPS = 4000, 10
SIDES = {"no live curves": "", "SQLite": "sqlite:///mlflow.db", "server dead": "dead", "server silent": "silent"}


def train(uri: str) -> dict[str, float]:
    """Train a small LSTM that logs each step; return seconds."""
    import numpy as np

    from nextchapter.models.registry import build_model
    from nextchapter.spec.training import TrainingSpec
    from nextchapter.store.events import EventLog
    from nextchapter.tokens.stream import TokenStream
    from nextchapter.tracking.publisher import LivePublisher
    from nextchapter.training.batches import StreamBatches
    from nextchapter.training.checkpoint import CheckpointFile
    from nextchapter.training.devices import prepare_torch
    from nextchapter.training.loop import Trainer
    from nextchapter.training.progress import Progress

    prepare_torch(threads=1)
    logging.disable()
    spec = TrainingSpec(max_tokens=10**12, valid_every_steps=10**9, learning_rate=1e-3)
    tokens = np.random.default_rng(0).integers(2, 500, size=100_000).astype(np.uint16)
    batches = StreamBatches(TokenStream(tokens, np.array([0, len(tokens)])), 1, 8, 32, 1)
    model = build_model({"kind": "lstm", "hidden": 128, "embedding": 64}, 500).train()
    live = LivePublisher("race", "lstm", "key", uri, every_s=1.0) if uri else None
    events = EventLog(Path("events.jsonl"), (live,) if live else ())
    progress = Progress("lstm", 0, shared_terminal=True)
    trainer = Trainer(
        model, batches, lambda model: 0.0, spec, 1, events, CheckpointFile(Path("c.pt"), "race"), progress
    )

    walls, own, process = [], time.thread_time(), time.process_time()
    for step in range(STEPS):
        started = time.perf_counter()
        trainer._train_step()
        events.append("train", step, {"train/loss_nats": 5.0 + step / 1000})
        if step % COMMIT_STEPS == 0:
            events.commit()
        walls.append(time.perf_counter() - started)
    own_s, all_s = time.thread_time() - own, time.process_time() - process
    os.write(1, json.dumps({"step": statistics.median(walls), "own": own_s / STEPS, "other": all_s - own_s}).encode())
    os._exit(0)  # nobody waits for a thread that still tries to send


def run_side(address: str) -> dict[str, float]:
    """Train in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).absolute()), "--train", address]
        return json.loads(subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--server", help="address of a running MLflow server to race as well")
    arguments = parser.parse_args()
    if arguments.train is not None:
        train(arguments.train)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as dead:
        ports = {"silent": silent.getsockname()[1], "dead": dead.getsockname()[1]}
        dead.close()
        sides = {name: f"http://127.0.0.1:{ports[uri]}" if uri in ports else uri for name, uri in SIDES.items()}
        sides |= {"server": arguments.server} if arguments.server else {}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        for _ in range(arguments.rounds):
            for name, uri in sides.items():
                found[name].append(run_side(uri))
    medians = {
        name: {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
        for name, rounds in found.items()
    }
    base = medians["no live curves"]
    for name, one in medians.items():
        print(
            f"{name:<15} a step: {1000 * one['own']:.2f} ms of processor (x {one['own'] / base['own']:.3f}), "
            f"{1000 * one['step']:.2f} ms of time (x {one['step'] / base['step']:.3f}); beside it {one['other']:.2f} s"
        )


if __name__ == "__main__":
    main()
