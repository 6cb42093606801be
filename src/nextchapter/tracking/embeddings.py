"""An embedding as MLflow shows it: a run of the study's experiment, with its intrinsic scores, figure and vectors."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nextchapter.spec.base import digest
from nextchapter.store.files import read_json
from nextchapter.tracking.points import Point, milliseconds, parameters_of
from nextchapter.tracking.store import KIND, NOTE, RUN_KEY, SUPERSEDED, Experiment


def publish_embedding(experiment: Experiment, name: str, files: Mapping[str, Sequence[Path]]) -> tuple[str, str]:
    """Bring an embedding's run to what its files say; return its id and its key. Doing this twice changes nothing.

    The files hold no times, so that workflows may share them: the run begins when it is first published.

    Args:
        experiment: that of the study.
        name: of the embedding.
        files: by name, as the stage `track_embedding` takes them.
    """
    about, scores = read_json(files["embedding"][0]), read_json(files["scores"][0])
    run_key = digest({"embedding": name, "about": about})
    found = experiment.find_runs(f"tags.{RUN_KEY} = '{run_key}'")
    tags = {
        KIND: "embedding",
        RUN_KEY: run_key,
        SUPERSEDED: "false",
        NOTE: describe_embedding(about, scores),
        "model": about["spec"]["kind"],
    }
    if found:
        run_id, held, start_ms = str(found[0].info.run_id), found[0].data.metrics, int(found[0].info.start_time)
    else:
        held, start_ms = {}, milliseconds(time.time())
        run_id = experiment.create_run(name, start_ms, tags)
        experiment.log_parameters(run_id, parameters_of(about["spec"]))
    experiment.set_tags(run_id, tags)
    metrics = intrinsic_metrics(about, scores, start_ms)
    experiment.log_points(run_id, [point for point in metrics if held.get(point.key) != point.value])
    experiment.log_files(run_id, {"vectors": [*files["vectors"], *files["texts"]], "figures": list(files["figures"])})
    experiment.client.set_terminated(run_id, "FINISHED", start_ms)
    _mark_superseded(experiment, name, run_key)
    return run_id, run_key


def intrinsic_metrics(about: Mapping[str, Any], scores: Mapping[str, Any], time_ms: int) -> list[Point]:
    """Return the intrinsic scores, and the loss of each epoch where the kind has one.

    Args:
        about: `embedding.json`.
        scores: `scores.json`.
        time_ms: at which they are shown.
    """
    points = [
        Point(f"intrinsic/{name}_{score}", float(value), time_ms, 0)
        for name, found in scores.items()
        for score, value in found.items()
        if score in ("spearman", "accuracy", "covered_share") and value is not None
    ]
    losses = about.get("loss_per_epoch", [])
    return [Point("train/loss", float(loss), time_ms, epoch) for epoch, loss in enumerate(losses, start=1)] + points


def describe_embedding(about: Mapping[str, Any], scores: Mapping[str, Any]) -> str:
    """Return what MLflow shows as the description of an embedding, in Markdown."""
    lines = ["| set | score | covered |", "|---|---|---|"]
    for name, found in scores.items():
        value = found.get("spearman", found.get("accuracy"))
        lines.append(f"| {name} | {'none' if value is None else f'{value:.3f}'} | {found['covered_share']:.0%} |")
    spec = about["spec"]
    head = f"`{spec['kind']}`, {spec['dimensions']} dimensions, tokenizer `{spec['tokenizer']}`: "
    head += f"{about['tokens_with_vector']:,} of {about['vocabulary_size']:,} tokens have a vector."
    return "\n".join([head, "", *lines])


def _mark_superseded(experiment: Experiment, name: str, run_key: str) -> None:
    others = f"attributes.run_name = '{name}' and tags.{RUN_KEY} != '{run_key}' and tags.`{KIND}` = 'embedding'"
    for run in experiment.find_runs(others):
        experiment.set_tags(run.info.run_id, {SUPERSEDED: "true"})
