"""A run's model and tokenizer in memory, and nothing heavier than torch with them."""

from typing import NamedTuple

import torch

from nextchapter.cli.runs import Run
from nextchapter.models.protocol import LanguageModel
from nextchapter.models.registry import load_model
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.registry import load_tokenizer
from nextchapter.training.devices import prepare_torch


class Loaded(NamedTuple):
    """What writing and scoring need."""

    run: Run
    model: LanguageModel
    tokenizer: Tokenizer


def load(run: Run, threads: int = 1) -> Loaded:
    """Load a run; single tokens are written fastest by one thread."""
    prepare_torch(threads)
    torch.set_grad_enabled(mode=False)
    return Loaded(run, load_model(run.model), load_tokenizer(run.tokenizer))
