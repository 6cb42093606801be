"""Each recurrent family against torch's own layer of the same size: training and decoding, one thread.

Training is forward and backward of the cells alone, two layers of 256, 32 x 64 tokens; decoding is one step after the
other at batch 1. A family is found through its specification, so a new one appears by itself. All are measured in turn,
round by round, in CPU time of one process; a ratio is of the medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.models.registry import build_model
from nextchapter.spec.families import FAMILIES, read_family
from nextchapter.spec.models import RecurrentSpec
from nextchapter.training.devices import prepare_torch

LAYERS, HIDDEN, BATCH, TIME, DECODED = 2, 256, 32, 64, 60
PEERS = {"elman": nn.RNN, "gru": nn.GRU, "mingru": nn.GRU}
"""Torch's layer beside a family; where none is named, nn.LSTM."""

Work = Callable[[], object]


def recurrent_kinds() -> list[str]:
    specs = map(read_family, FAMILIES)
    return [spec.model_fields["kind"].default for spec in specs if issubclass(spec, RecurrentSpec)]


class Ours:
    """The cells of a family's model, without embedding and softmax."""

    def __init__(self, kind: str) -> None:
        sizes = {"kind": kind, "hidden": HIDDEN, "embedding": HIDDEN, "layers": LAYERS, "dropout": 0.0}
        model = build_model(sizes, 2)
        assert isinstance(model, RecurrentLanguageModel)
        self.model, self.cells = model, list(model.cells)
        self.inputs = torch.randn(BATCH, TIME, HIDDEN, requires_grad=True)

    def train(self) -> None:
        outputs = self.inputs
        for cell, state in zip(self.cells, self.model.initial_state(BATCH), strict=True):
            outputs, _ = cell(outputs, state)
        outputs.sum().backward()

    @torch.no_grad()
    def decode(self) -> None:
        states = list(self.model.initial_state(1))
        for token in self.inputs[0, :DECODED]:
            hidden = token[None]
            for layer, cell in enumerate(self.cells):
                hidden, states[layer] = cell.step(hidden, states[layer])


class Torchs:
    """One of torch's own layers."""

    def __init__(self, layer: type[nn.RNNBase]) -> None:
        self.layer = layer(HIDDEN, HIDDEN, LAYERS, batch_first=True)
        self.inputs = torch.randn(BATCH, TIME, HIDDEN, requires_grad=True)

    def train(self) -> None:
        self.layer(self.inputs)[0].sum().backward()

    @torch.no_grad()
    def decode(self) -> None:
        state: Tensor | tuple[Tensor, Tensor] | None = None
        for token in self.inputs[0, :DECODED]:
            _, state = self.layer(token[None, None], state)


def rates(works: dict[str, Work], count: int, rounds: int) -> dict[str, float]:
    """Return how many of its `count` tokens or steps each work does in a second, all measured in turn."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            started = time.process_time()
            work()
            if turn:  # the first round warms up
                times[name].append(time.process_time() - started)
    return {name: count / statistics.median(seconds) for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    prepare_torch(1)
    torch.manual_seed(0)
    kinds = recurrent_kinds()
    racers: dict[str, Ours | Torchs] = {kind: Ours(kind) for kind in kinds}
    racers |= {layer.__name__: Torchs(layer) for layer in (nn.RNN, nn.GRU, nn.LSTM)}
    training = rates({name: racer.train for name, racer in racers.items()}, BATCH * TIME, rounds)
    decoding = rates({name: racer.decode for name, racer in racers.items()}, DECODED, rounds)
    print(f"{LAYERS} x {HIDDEN}, training {BATCH} x {TIME} tokens, decoding batch 1; torch {torch.__version__}")
    print(f"{'family':<14}{'training tokens/s':>20}{'ratio':>8}{'decoding steps/s':>20}{'ratio':>8}  torch's layer")
    for kind in kinds:
        peer = PEERS.get(kind, nn.LSTM).__name__
        print(
            f"{kind:<14}{training[kind]:>11,.0f} {training[peer]:>8,.0f}{training[kind] / training[peer]:>8.2f}"
            f"{decoding[kind]:>11,.0f} {decoding[peer]:>8,.0f}{decoding[kind] / decoding[peer]:>8.2f}  {peer}"
        )


if __name__ == "__main__":
    main()
