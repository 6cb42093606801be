"""What a study has made, as far as its report shows it, read from its folder."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from nextchapter.report.chapters import Chapter
from nextchapter.report.examination import add_copying
from nextchapter.report.leaderboard import read_leaderboard
from nextchapter.report.predictions import read_predictions
from nextchapter.store.checksums import verify_checksum
from nextchapter.store.files import read_json

Record = Mapping[str, Any]


class Embedding(NamedTuple):
    """Learned vectors of word pieces."""

    scores: Record
    neighbours: pd.DataFrame


class Results:
    """The files of a study's folder; those of parts that it does not have are never asked for."""

    def __init__(self, folder: Path, parts: Record) -> None:
        """Read nothing yet.

        Args:
            folder: `results/STUDY`.
            parts: which parts the study has: the `spec` of `write_report`.
        """
        self._folder = folder
        self.parts = parts

    def svg(self, name: str) -> str:
        """Return a figure, named by its path in the folder without suffix."""
        return self._file(f"{name}.svg").read_text(encoding="utf-8")

    @cached_property
    def leaderboard(self) -> pd.DataFrame:
        """The leaderboard, best first, with what each chapter copies."""
        board = read_leaderboard(self._file("leaderboard.csv"))
        return add_copying(board, [self._of_run(run, "examination.json") for run in board["run"]])

    @property
    def champion(self) -> Record:
        """The champion's row of the leaderboard."""
        (row,) = self.leaderboard[self.leaderboard["champion"]].to_dict("records")
        return {str(name): value for name, value in row.items()}

    @cached_property
    def quality(self) -> Record:
        """What was read."""
        return self._json("corpus/quality.json")

    @cached_property
    def provenance(self) -> list[Record]:
        """The `run.json` of each run, best first."""
        return [self._of_run(run, "run.json") for run in self.leaderboard["run"]]

    @cached_property
    def costs(self) -> pd.DataFrame:
        """What each run cost, the cheapest first."""
        return pd.read_csv(self._file("figures/costs.csv"), dtype={"run": str, "model": str}, keep_default_na=False)

    @cached_property
    def gradients(self) -> Record | None:
        """The record of the gradient lab, if the study has one."""
        return self._json("diagnostics/gradients/gradients.json") if self.parts["gradients"] else None

    @cached_property
    def tasks(self) -> list[Record]:
        """What became of each network in each memory task."""
        return [self._json(f"diagnostics/tasks/{name}.json") for name in self.parts["tasks"]]

    @property
    def next_chapter(self) -> str:
        """The champion's chapter, as Markdown."""
        return self._file("next-chapter.md").read_text(encoding="utf-8")

    def chapters(self) -> list[Chapter]:
        """Return the chapters of all runs, best first."""
        return [
            Chapter(
                self._file(f"runs/{run}/chapter.md").read_text(encoding="utf-8"),
                self._of_run(run, "chapter.json"),
                read_predictions(self._file(f"runs/{run}/predictions.csv")),
                self._of_run(run, "examination.json"),
            )
            for run in self.leaderboard["run"]
        ]

    def examination(self, run: str) -> Record:
        """Return what was found of a run's chapter."""
        return self._of_run(run, "examination.json")

    def profile(self, run: str) -> Record:
        """Return where a run loses."""
        return self._of_run(run, "profile.json")

    def embedding(self, name: str) -> Embedding:
        """Return how good an embedding is, and which words lie near each other in it."""
        neighbours = pd.read_csv(self._file(f"embeddings/{name}/neighbours.csv"), keep_default_na=False)
        return Embedding(self._json(f"embeddings/{name}/scores.json"), neighbours)

    def search(self, name: str) -> pd.DataFrame:
        """Return the runs of a search, best first."""
        names = {"run": str, "configuration": str}
        return pd.read_csv(self._file(f"searches/{name}.csv"), dtype=names, keep_default_na=False)

    def best_of_each_kind(self, among: Sequence[str] | None = None) -> list[str]:
        """Return the best run of each kind of model, best first; of some runs only where these are given."""
        board = self.leaderboard if among is None else self.leaderboard[self.leaderboard["run"].isin(among)]
        return [str(run) for run in board.drop_duplicates("model")["run"]]

    def _file(self, name: str) -> Path:
        """Return a file of the study.

        Raises:
            DamagedFileError: it is not what was written.
        """
        verify_checksum(self._folder / name)
        return self._folder / name

    def _of_run(self, run: str, name: str) -> Record:
        return self._json(f"runs/{run}/{name}")

    def _json(self, name: str) -> Record:
        found: Record = read_json(self._file(name))
        return found
