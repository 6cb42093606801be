"""A run's model and tokenizer in memory, and nothing heavier than torch with them."""

from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from nextchapter.cli.runs import Run
from nextchapter.models.protocol import LanguageModel
from nextchapter.models.registry import load_model
from nextchapter.store.checksums import verify_checksum
from nextchapter.tokens.protocol import Tokenizer
from nextchapter.tokens.registry import load_tokenizer
from nextchapter.training.devices import prepare_torch


class Loaded(NamedTuple):
    """What writing and scoring need."""

    run: Run
    model: LanguageModel
    tokenizer: Tokenizer


def load(run: Run, threads: int = 1) -> Loaded:
    """Load a run; single tokens are written fastest by one thread.

    Raises:
        DamagedFileError: its model or tokenizer is not what was written.
    """
    for path in (run.model, run.tokenizer):
        verify_checksum(path)
    prepare_torch(threads)
    return Loaded(run, load_model(run.model), load_tokenizer(run.tokenizer))


class LoadedRuns:
    """The runs that were asked last, kept in memory; one that was trained again since is loaded again."""

    def __init__(self, most: int) -> None:
        """Keep so many."""
        self._most = most
        self._kept: OrderedDict[tuple[Path, int], Loaded] = OrderedDict()

    def get(self, run: Run) -> Loaded:
        """Return a run's model and tokenizer."""
        key = run.model, run.model.stat().st_mtime_ns
        if key not in self._kept:
            while len(self._kept) >= self._most:  # first, so that there is never one more in memory
                self._kept.popitem(last=False)
            self._kept[key] = load(run)
        self._kept.move_to_end(key)
        return self._kept[key]
