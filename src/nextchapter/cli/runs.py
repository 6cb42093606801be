"""Which run a person means: by name, by path, the champion, or an address of MLflow."""

import difflib
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

from nextchapter.store.checksums import verify_checksum

RESULTS = Path("results")


class RunNotFoundError(ValueError):
    """No finished run, or more than one, is what was asked for; the message says what there is."""


class Run(NamedTuple):
    """A finished run, and the files that writing and scoring need."""

    name: str
    study: str
    folder: Path

    @property
    def model(self) -> Path:
        """The weights."""
        return self.folder / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        """What its text is cut with: it lies beside the model where that was copied out of its study."""
        beside = self.folder / "tokenizer.model"
        if beside.is_file():
            return beside
        name: str = _read(self.folder / "run.json")["tokenizer"]
        return self.folder.parents[1] / "tokens" / name / "tokenizer.model"


class Standing(NamedTuple):
    """A finished run, and how it stands among those of its study."""

    run: Run
    champion: bool
    bits_per_character: float | None
    """On the test chapters; None before they are scored."""


def find_run(asked: str, study: str | None = None) -> Run:
    """Return the run that is meant.

    Args:
        asked: `champion`, the name of a run with or without its seed (`lstm-384.s1`, `lstm-384`), the path of a run's
            folder or of its model, or an address in MLflow (`models:/nextchapter-austen@champion`, `runs:/ID/model`).
        study: looks in this study alone; None looks in all of them.

    Raises:
        RunNotFoundError: there is no such run, or several.
    """
    if asked.startswith(("models:/", "runs:/")):
        return _run_at(_fetched(asked))
    path = Path(asked)
    if path.name == "model.safetensors" and path.is_file():
        path = path.parent
    if (path / "model.safetensors").is_file():
        return _run_at(path)
    studies = [folder for folder in _folders(study) if (folder / "runs").is_dir()]
    if not studies:
        where = f"no study of the name {study!r} in {RESULTS}/" if study else f"no finished study in {RESULTS}/"
        raise RunNotFoundError(f"{where}; `make run` makes one. It is looked for in the current folder")
    found = _champions(studies) if asked == "champion" else _named(asked, studies)
    if len(found) == 1:
        return _run_at(found[0])
    if found:
        names = ", ".join(f"{folder.parents[1].name} ({folder.name})" for folder in found)
        raise RunNotFoundError(f"{asked!r} is a run of {len(found)} studies: {names}. Choose one with --study")
    raise RunNotFoundError(_nothing_found(asked, studies))


def list_runs(study: str | None) -> list[Standing]:
    """Return all finished runs, study by study: the champion first, then from the best to the worst.

    Args:
        study: of this study alone; None lists those of all.
    """
    listed = []
    for folder in _folders(study):
        champions = _champions([folder])
        standings = [_standing(run, run in champions) for run in _finished(folder) if (run / "run.json").is_file()]
        listed += sorted(standings, key=_worth)
    return listed


def _folders(study: str | None) -> list[Path]:
    """Return where a study is, or where all are; a name may hold what a pattern would read otherwise."""
    return [RESULTS / study] if study else sorted(RESULTS.glob("*"))


def _standing(folder: Path, champion: bool) -> Standing:
    facts, metrics = _read(folder / "run.json"), folder / "metrics.json"
    bits = _read(metrics)["splits"]["test"]["bits_per_character"] if metrics.is_file() else None
    return Standing(Run(facts["run"], facts["study"], folder.resolve()), champion, bits)


def _worth(standing: Standing) -> tuple[bool, float, str]:
    bits = standing.bits_per_character
    return not standing.champion, math.inf if bits is None else bits, standing.run.name


def _fetched(address: str) -> Path:
    """Return the folder of a model that lies in MLflow."""
    from nextchapter.tracking.address import TrackingError
    from nextchapter.tracking.registry import fetch_files

    try:
        return fetch_files(address)
    except TrackingError as error:
        raise RunNotFoundError(str(error)) from error


def _champions(studies: list[Path]) -> list[Path]:
    files = [study / "champion.json" for study in studies]
    chosen = [(file, _read(file)["run"]) for file in files if file.is_file()]
    return [file.parent / "runs" / run for file, run in chosen]


def _named(asked: str, studies: list[Path]) -> list[Path]:
    """Return the runs of a name; one without a seed stands for the first of its seeds."""
    found = []
    for study in studies:
        finished = _finished(study)
        exact = [folder for folder in finished if folder.name == asked]
        seeds = [folder for folder in finished if folder.name.rpartition(".s")[0] == asked]
        found += exact or seeds[:1]
    return found


def _finished(study: Path) -> list[Path]:
    return sorted(file.parent for file in study.glob("runs/*/model.safetensors"))


def _nothing_found(asked: str, studies: list[Path]) -> str:
    names = sorted({folder.name for study in studies for folder in _finished(study)})
    if asked == "champion":
        return (
            f"no champion has been chosen yet: it is when all runs are scored; there are {', '.join(names) or 'none'}"
        )
    close = difflib.get_close_matches(asked, names, n=1, cutoff=0.4)
    guess = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no run {asked!r}; {guess}there are {', '.join(names) or 'none yet'}"


def _run_at(folder: Path) -> Run:
    folder = folder.resolve()
    if not (folder / "run.json").is_file():
        raise RunNotFoundError(f"{folder} holds a model but no run.json, which says what its text is cut with")
    facts = _read(folder / "run.json")
    run = Run(facts["run"], facts["study"], folder)
    if not run.tokenizer.is_file():
        raise RunNotFoundError(f"the tokenizer of {run.name} is missing: {run.tokenizer}; `make run` makes it again")
    return run


def _read(path: Path) -> dict[str, Any]:
    verify_checksum(path)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
