"""`nextchapter export`: a run for programs that have no torch."""

import shutil
from pathlib import Path
from typing import Any

from nextchapter.cli.loaded import load
from nextchapter.cli.runs import Run
from nextchapter.models.onnx import export_step
from nextchapter.models.registry import read_header
from nextchapter.store.files import atomic_path


def export_onnx(run: Run, path: Path) -> dict[str, Any]:
    """Write a run's network to an ONNX file, and its tokenizer beside it; return what was written where.

    Raises:
        ValueError: the run's model is no recurrent network, or packages are missing.
    """
    loaded = load(run)
    about = {
        "run": run.name,
        "study": run.study,
        "model": read_header(run.model)["model"]["kind"],
        "vocabulary_size": loaded.model.vocabulary_size,
        "end_of_chapter": loaded.tokenizer.end_of_chapter,
    }
    export_step(loaded.model, path, about)
    tokenizer = path.with_suffix(".tokenizer.model")
    with atomic_path(tokenizer) as temporary:
        shutil.copyfile(run.tokenizer, temporary)
    return {**about, "onnx": str(path), "tokenizer": str(tokenizer)}
