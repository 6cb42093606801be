"""Our training loop against a bare loop over torch's own layers: the same sizes, data, optimiser and clipping.

Both sides train in turn, a few steps at a time, in one process; the printed ratio is of the median times a step.
Beside it stands the share of the machine's matrix peak: 6 operations a weight and token that our side needs, over those
of products of large matrices, which take their turns as well.
"""

import argparse
import importlib
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nextchapter.models.registry import build_model
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.events import EventLog
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.batches import StreamBatches
from nextchapter.training.checkpoint import CheckpointFile
from nextchapter.training.devices import choose_device, prepare_torch
from nextchapter.training.loop import Trainer
from nextchapter.training.progress import Progress

VOCABULARY, EMBEDDING = 2000, 192
PEAK_ROWS, PEAK_PRODUCTS = 1024, 20
LAYERS = {"elman": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
STEPS_A_TURN, TURNS = 5, 15


class BareModel(nn.Module):
    """Embedding, one of torch's layers, tied softmax: what one would write on a page."""

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.layer = LAYERS[kind](EMBEDDING, hidden, batch_first=True)
        self.projection = nn.Linear(hidden, EMBEDDING, bias=False)
        self.output = nn.Linear(EMBEDDING, VOCABULARY)
        self.output.weight = self.embedding.weight

    def forward(self, tokens: torch.Tensor, state: object) -> tuple[torch.Tensor, object]:
        hidden, state = self.layer(functional.dropout(self.embedding(tokens), 0.2), state)
        return self.output(self.projection(functional.dropout(hidden, 0.2))), state


class BareLoop:
    """A plain training loop: batch, loss, backward, clip, step."""

    def __init__(self, kind: str, hidden: int, batches: StreamBatches, device: torch.device) -> None:
        self.model, self.batches, self.device, self.step = BareModel(kind, hidden).to(device), batches, device, 0
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=1e-3, fused=True)
        self.state: object = None

    def train(self, steps: int) -> None:
        for _ in range(steps):
            batch = self.batches.batch(self.step)
            logits, state = self.model(batch.tokens.to(self.device), self.state)
            loss = functional.cross_entropy(logits.flatten(0, 1), batch.targets.to(self.device).flatten())
            self.optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
            self.state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
            loss.item()
            self.step += 1


def make_trainer(kind: str, hidden: int, batches: StreamBatches, device: torch.device, folder: Path) -> Trainer:
    spec = TrainingSpec(max_tokens=10**12, valid_every_steps=10**9, learning_rate=1e-3)
    sizes = {"kind": kind, "hidden": hidden, "embedding": EMBEDDING, "dropout": 0.2}
    model = build_model(sizes, VOCABULARY).to(device).train()
    events, checkpoints = EventLog(folder / "events.jsonl"), CheckpointFile(folder / "checkpoint.pt", "race")
    progress = Progress(kind, 0, shared_terminal=True)
    return Trainer(model, batches, lambda model: 0.0, spec, 1, events, checkpoints, progress)


def operations_per_token(kind: str, hidden: int) -> int:
    """Return the operations of a training step a token: forward, and twice that backward."""
    spec = importlib.import_module(f"nextchapter.models.{kind}").SPEC(hidden=hidden, embedding=EMBEDDING)
    weights = spec.weights(VOCABULARY)
    return 6 * (weights.recurrent + weights.output)


def race(kind: str, hidden: int, batch_size: int, truncation: int, device: torch.device) -> None:
    """Print tokens a second of both sides, the ratio of their medians, and the share of the matrix peak."""
    tokens = np.random.default_rng(0).integers(2, VOCABULARY, size=400_000).astype(np.uint16)
    stream = TokenStream(tokens, np.array([0, len(tokens)]))
    with tempfile.TemporaryDirectory() as folder:
        trainer = make_trainer(kind, hidden, StreamBatches(stream, 1, batch_size, truncation, 1), device, Path(folder))
        bare = BareLoop(kind, hidden, StreamBatches(stream, 1, batch_size, truncation, 1), device)

        def ours() -> None:
            for _ in range(STEPS_A_TURN):
                trainer._train_step()

        def theirs() -> None:
            bare.train(STEPS_A_TURN)

        square = torch.randn(PEAK_ROWS, PEAK_ROWS, device=device)

        def peak() -> None:
            for _ in range(PEAK_PRODUCTS):
                squared = square @ square
            squared[0, 0].item()

        times: dict[str, list[float]] = {"ours": [], "bare": [], "peak": []}
        for turn in range(TURNS + 2):
            for name, work in (("ours", ours), ("bare", theirs), ("peak", peak)):
                started = time.perf_counter()
                work()
                if turn >= 2:  # the first turns warm up
                    times[name].append(time.perf_counter() - started)
        trainer.events.close()
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    count = STEPS_A_TURN * batch_size * truncation
    speeds = {name: count / medians[name] for name in ("ours", "bare")}
    peak_rate = PEAK_PRODUCTS * 2 * PEAK_ROWS**3 / medians["peak"]
    share = speeds["ours"] * operations_per_token(kind, hidden) / peak_rate
    print(
        f"{kind:<6} {hidden:>4} batch {batch_size:>3} x {truncation:<3}  ours {speeds['ours']:>9,.0f}  bare torch "
        f"{speeds['bare']:>9,.0f} tokens/s  ratio {speeds['ours'] / speeds['bare']:.3f}  "
        f"share of the peak {share:.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--hidden", type=int, nargs="+", default=[384, 512])
    arguments = parser.parse_args()
    prepare_torch(arguments.threads)
    device = choose_device(arguments.device)
    print(f"training speed, {device}, {arguments.threads} thread(s), torch {torch.__version__}")
    for kind, hidden, (batch_size, truncation) in product(LAYERS, arguments.hidden, ((16, 48), (32, 64))):
        race(kind, hidden, batch_size, truncation, device)


if __name__ == "__main__":
    main()
