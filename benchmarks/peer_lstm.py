"""The peer of the races for quality: the plain recipe for an LSTM over words, in plain torch, nothing of this project.

Two layers of 200 units, untied embeddings of 200, SGD at 20 quartered whenever validation does not improve, gradients
clipped at 0.25, 35 steps of backpropagation through time, batches of 20, dropout 0.2. It prints the perplexity of the
validation text after each epoch, and when the budget ends, beside the seconds of training; scoring is timed apart.

    python benchmarks/peer_lstm.py --data FOLDER --seconds 1500 --log peer.jsonl
"""

import argparse
import bz2
import gzip
import json
import lzma
import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

HIDDEN, LAYERS, DROPOUT = 200, 2, 0.2
LEARNING_RATE, CLIP, BPTT, BATCH, SCORING_BATCH = 20.0, 0.25, 35, 20, 10
NAMES = ("wiki.{}.tokens", "ptb.{}.txt")
OPENERS = {"": open, ".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


class PeerLanguageModel(nn.Module):
    """Embedding, LSTM, softmax."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, HIDDEN)
        self.layers = nn.LSTM(HIDDEN, HIDDEN, LAYERS, dropout=DROPOUT)
        self.output = nn.Linear(HIDDEN, vocabulary_size)
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.uniform_(self.output.weight, -0.1, 0.1)
        nn.init.zeros_(self.output.bias)

    def forward(self, tokens: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        embedded = functional.dropout(self.embedding(tokens), DROPOUT, self.training)
        hidden, state = self.layers(embedded, state)  # [time batch hidden]
        return self.output(functional.dropout(hidden, DROPOUT, self.training)), state


def read_words(folder: Path, split: str) -> list[str]:
    """Return the words of a split, with `<eos>` behind each line; the file may be compressed."""
    for name in NAMES:
        for suffix, opener in OPENERS.items():
            path = folder / f"{name.format(split)}{suffix}"
            if path.is_file():
                with opener(path, "rt", encoding="utf-8") as file:
                    return [word for line in file for word in [*line.split(), "<eos>"]]
    raise SystemExit(f"there is no file of the split {split} in {folder}: looked for {' and '.join(NAMES)}")


def side_by_side(tokens: Tensor, batch_size: int) -> Tensor:
    """Return the tokens as streams [time batch]; a rest that fills no row is left out."""
    rows = len(tokens) // batch_size
    return tokens[: rows * batch_size].view(batch_size, rows).t().contiguous()


def chunks(streams: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs and targets [time batch], one after the other."""
    for start in range(0, len(streams) - 1, BPTT):
        length = min(BPTT, len(streams) - 1 - start)
        yield streams[start : start + length], streams[start + 1 : start + 1 + length]


def score(model: PeerLanguageModel, streams: Tensor) -> float:
    """Return the perplexity of some text; the state runs on from chunk to chunk."""
    model.eval()
    nats, count, state = 0.0, 0, None
    with torch.no_grad():
        for tokens, targets in chunks(streams):
            logits, state = model(tokens, state)
            nats += functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").item()
            count += targets.numel()
    model.train()
    return math.exp(nats / count)


class PeerTraining:
    """The recipe: epochs of plain SGD until the budget is spent."""

    def __init__(self, model: PeerLanguageModel, train: Tensor, valid: Tensor, log: Path | None) -> None:
        self.model, self.train, self.valid, self.log = model, train, valid, log
        self.learning_rate, self.best = LEARNING_RATE, math.inf
        self.train_s, self.score_s, self.tokens, self.epochs = 0.0, 0.0, 0, 0.0

    def run(self, budget_s: float, budget_epochs: float) -> None:
        while self.train_s < budget_s and self.epochs < budget_epochs:
            self.train_epoch(budget_s)
            self.validate()

    def train_epoch(self, budget_s: float) -> None:
        state, steps = None, math.ceil((len(self.train) - 1) / BPTT)
        for tokens, targets in chunks(self.train):
            started = time.perf_counter()
            if state is not None:
                state = (state[0].detach(), state[1].detach())
            self.model.zero_grad()
            logits, state = self.model(tokens, state)
            functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
            with torch.no_grad():
                for parameter in self.model.parameters():
                    parameter.add_(parameter.grad, alpha=-self.learning_rate)
            self.tokens += targets.numel()
            self.epochs += 1 / steps
            self.train_s += time.perf_counter() - started
            if self.train_s >= budget_s:
                return
        self.epochs = round(self.epochs)

    def validate(self) -> None:
        started = time.perf_counter()
        perplexity = score(self.model, self.valid)
        self.score_s += time.perf_counter() - started
        if perplexity < self.best:
            self.best = perplexity
        else:
            self.learning_rate /= 4
        record = {
            "epoch": round(self.epochs, 4), "train_s": round(self.train_s, 2), "score_s": round(self.score_s, 2),
            "tokens": self.tokens, "valid_perplexity": perplexity, "learning_rate": self.learning_rate,
        }  # fmt: skip
        print(
            f"epoch {self.epochs:6.2f}  {self.train_s:8.1f} s  {self.tokens / self.train_s:9,.0f} tokens/s  "
            f"validation {perplexity:8.2f}  (scoring {self.score_s:.1f} s)",
            flush=True,
        )
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the files of the benchmark set")
    parser.add_argument("--seconds", type=float, default=1500, help="budget of training seconds, scoring apart")
    parser.add_argument("--epochs", type=float, default=math.inf, help="budget of epochs")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--log", type=Path, help="file for a line of JSON a validation")
    parser.add_argument("--test", action="store_true", help="score the test text at the end")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)
    splits = {split: read_words(arguments.data, split) for split in ("train", "valid", "test")}
    number = {
        word: place for place, word in enumerate(dict.fromkeys(word for words in splits.values() for word in words))
    }
    tokens = {split: torch.tensor([number[word] for word in words]) for split, words in splits.items()}
    streams = {
        split: side_by_side(part, BATCH if split == "train" else SCORING_BATCH).to(arguments.device)
        for split, part in tokens.items()
    }
    print(f"{len(number):,} types, {len(tokens['train']):,} tokens, {arguments.threads} thread(s), {arguments.device}")
    if arguments.log is not None:
        arguments.log.unlink(missing_ok=True)
    model = PeerLanguageModel(len(number)).to(arguments.device)
    training = PeerTraining(model, streams["train"], streams["valid"], arguments.log)
    training.run(arguments.seconds, arguments.epochs)
    if arguments.test:
        print(f"test {score(model, streams['test']):.2f}, with the last weights")


if __name__ == "__main__":
    main()
