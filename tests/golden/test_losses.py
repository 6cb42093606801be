"""The first losses of each family, kept: a change of arithmetic that nobody meant shows here.

`python tests/golden/test_losses.py` writes them anew; the change then stands in the commit.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch

from nextchapter.models.registry import build_model
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.events import EventLog, read_events
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.batches import StreamBatches
from nextchapter.training.checkpoint import CheckpointFile
from nextchapter.training.loop import Trainer
from nextchapter.training.progress import Progress

GOLDEN = Path(__file__).with_name("losses.json")
RECURRENT = {"hidden": 32, "embedding": 16, "layers": 2, "dropout": 0.1}
FAMILIES = {
    "elman-tanh": {"kind": "elman", "activation": "tanh", **RECURRENT},
    "elman-relu": {"kind": "elman", "activation": "relu", **RECURRENT},
    "elman-sigmoid": {"kind": "elman", "activation": "sigmoid", **RECURRENT},
    "feed-forward": {"kind": "feed-forward", "order": 4, "direct": True, "hidden": 32, "embedding": 16, "dropout": 0.1},
    "gru": {"kind": "gru", **RECURRENT},
    "lstm": {"kind": "lstm", **RECURRENT},
    "mingru": {"kind": "mingru", **RECURRENT},
    "minlstm": {"kind": "minlstm", **RECURRENT},
    "mogrifier": {"kind": "mogrifier", **RECURRENT},
    "rlstm": {"kind": "rlstm", **RECURRENT},
    "slstm": {"kind": "slstm", **RECURRENT, "heads": 2},
    "hmm": {"kind": "hmm", "states": 16},
    "hmm-cloned": {"kind": "hmm-cloned", "states": 200},
    "hmm-neural": {"kind": "hmm-neural", "classes": 8, "states_per_class": 8, "rank": 16, "embedding": 16},
}


def first_losses(family: str, folder: Path, steps: int = 20) -> list[float]:
    """Return the losses of the first steps on 10 kB of made-up text, a token a byte."""
    generator = np.random.default_rng(0)
    text = b" ".join(
        generator.choice([b"the", b"cat", b"sat", b"on", b"a", b"mat", b"and", b"ran"], size=2800).tolist()
    )
    stream = TokenStream(np.frombuffer(text, dtype=np.uint8), np.array([0, len(text)]))
    spec = TrainingSpec(
        batch_size=8, truncation=16, max_tokens=None, max_steps=steps, warmup_steps=5, log_every_steps=1,
        valid_every_steps=1000,
    )  # fmt: skip
    torch.manual_seed(0)
    model = build_model(FAMILIES[family], 128)
    model.prepare(stream, end_of_chapter=0)
    events = EventLog(folder / "events.jsonl")
    batches = StreamBatches(stream, 0, spec.batch_size, 16, seed=0)
    checkpoints, progress = CheckpointFile(folder / "c.pt", "golden"), Progress(family, 0, shared_terminal=True)
    Trainer(model.train(), batches, lambda model: 1.0, spec, 0, events, checkpoints, progress).run()
    events.close()
    log = read_events(folder / "events.jsonl")
    return [event["metrics"]["train/loss_nats"] for event in log if event["event"] == "train"]


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_first_losses_are_those_that_were_kept(family: str, tmp_path: Path) -> None:
    golden = json.loads(GOLDEN.read_text())[family]
    assert len(golden) == 20
    assert first_losses(family, tmp_path) == pytest.approx(golden, rel=2e-4)  # processors round differently


if __name__ == "__main__":
    kept = {}
    for name in FAMILIES:
        with tempfile.TemporaryDirectory() as scratch:
            kept[name] = [round(loss, 6) for loss in first_losses(name, Path(scratch))]
    GOLDEN.write_text(json.dumps(kept, indent=1) + "\n")
    sys.stdout.write(f"wrote {GOLDEN}\n")
