"""A finished run as MLflow shall show it, and the reconciliation of what is there with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag, Run

from nextchapter.spec.base import canonical_json, digest
from nextchapter.store.events import read_events
from nextchapter.store.files import read_json
from nextchapter.tracking.points import Point, milliseconds, parameters_of, points_of
from nextchapter.tracking.store import NOTE, RUN_KEY, SUPERSEDED, Experiment

_PARAMETERS = ("model", "training", "train_share", "seed", "tokenizer", "vocabulary_size", "parameters", "threads")
_SCORES = (
    "bits_per_character",
    "bits_per_character_without_spelling",
    "nats_per_token",
    "perplexity",
    "perplexity_per_word",
    "bits_per_byte",
    "ci_low",
    "ci_high",
    "token_accuracy_at_1",
    "token_accuracy_at_5",
    "word_accuracy",
    "expected_calibration_error",
)
"""Those of accuracy and calibration are of the test split alone."""


@dataclass(frozen=True)
class RunContents:
    """All that MLflow shall hold of a run."""

    name: str
    run_key: str
    start_ms: int
    end_ms: int
    parameters: dict[str, str]
    tags: dict[str, str]
    points: list[Point]
    """The curves at their own times, and the final scores."""
    dataset: DatasetInput
    files: dict[str, list[Path]]
    """Artifacts, by folder."""


def read_contents(files: Mapping[str, Sequence[Path]]) -> RunContents:
    """Read what the stages of a run have written.

    Args:
        files: by name, as the stage `track_run` takes them.
    """
    run, metrics, tokens = (read_json(files[name][0]) for name in ("provenance", "metrics", "tokens"))
    examination = read_json(files["examination"][0])
    events, end_ms = list(read_events(files["events"][0])), milliseconds(run["finished"])
    curves = points_of(events)
    scores = {**final_metrics(run, metrics), **chapter_metrics(examination)}
    return RunContents(
        name=run["run"],
        run_key=run["run_key"],
        start_ms=milliseconds(events[0]["time"]),
        end_ms=end_ms,
        parameters={
            **_searched(run),
            **parameters_of({key: run[key] for key in _PARAMETERS if key in run}),
        },
        tags=_tags(run, metrics),
        points=[*curves, *_final_points(scores, curves, end_ms, run["steps"])],
        dataset=_dataset(run, tokens),
        files={
            "model": [*files["model"], *files["provenance"], *files["tokenizer_model"]],
            "chapter": [*files["chapter"], *files["chapter_facts"]],
            "evaluation": [
                *files["metrics"],
                *files["predictions"],
                *files["blocks"],
                *files["profile"],
                *files["examination"],
            ],
            "tokenizer": [*files["tokenizer_model"], *files["tokens"]],
            "figures": list(files["figures"]),
        },
    )


def final_metrics(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores of the kept weights and the speed of the training, by MLflow's names for them.

    Args:
        run: `run.json`.
        metrics: `metrics.json`.
    """
    scores = {
        f"{split}/{name}": float(values[name])
        for split, values in metrics["splits"].items()
        for name in _SCORES
        if values.get(name) is not None
    }
    speed = {f"system/{name}": float(run[name]) for name in ("train_seconds", "train_tokens_per_s")}
    return {**scores, **speed}


def chapter_metrics(examination: Mapping[str, Any]) -> dict[str, float]:
    """Return what was found of the chapter, by MLflow's names.

    Args:
        examination: `examination.json`.
    """
    found = {f"chapter/{name}": float(values["chapter"]) for name, values in examination["measures"].items()}
    return {**found, "chapter/flagged": float(examination["flagged"])}


def _final_points(scores: Mapping[str, float], curves: Sequence[Point], end_ms: int, last_step: int) -> list[Point]:
    """Return final scores as points: where there is a curve as its last, else at step 0, which MLflow draws as bars."""
    with_curve = {point.key for point in curves}
    return [Point(key, value, end_ms, last_step if key in with_curve else 0) for key, value in scores.items()]


def publish_run(experiment: Experiment, contents: RunContents) -> str:
    """Bring MLflow to what a run's files say; return the id of its run there.

    A run of the same key that holds anything else, left by an earlier attempt, is replaced; MLflow keeps it
    among the deleted ones. Doing this twice changes nothing.
    """
    client = experiment.client
    run_id, held, outdated = _find(experiment, contents)
    if run_id is None:
        run_id = experiment.create_run(contents.name, contents.start_ms, {RUN_KEY: contents.run_key})
    client.log_inputs(run_id, datasets=[contents.dataset])
    experiment.log_parameters(run_id, contents.parameters)
    experiment.set_tags(run_id, {**contents.tags, SUPERSEDED: "false"})
    experiment.log_points(run_id, [point for point in contents.points if point not in held])
    experiment.log_files(run_id, contents.files)
    client.set_terminated(run_id, "FINISHED", contents.end_ms)
    for run in outdated:
        client.delete_run(run.info.run_id)
    _mark_superseded(experiment, contents)
    return run_id


def _find(experiment: Experiment, contents: RunContents) -> tuple[str | None, set[Point], list[Run]]:
    """Return the run to complete with the points that it holds, and the runs to replace."""
    run_id: str | None = None
    kept: set[Point] = set()
    outdated = []
    for run in experiment.find_runs(f"tags.{RUN_KEY} = '{contents.run_key}'"):
        held = _points_held(experiment, run)
        if run_id is None and _is_part(run, held, contents):
            run_id, kept = str(run.info.run_id), held
        else:
            outdated.append(run)
    return run_id, kept, outdated


def _is_part(run: Run, held: set[Point], contents: RunContents) -> bool:
    return (
        run.info.start_time == contents.start_ms
        and run.data.params.items() <= contents.parameters.items()
        and held <= set(contents.points)
    )


def _points_held(experiment: Experiment, run: Run) -> set[Point]:
    histories = (experiment.client.get_metric_history(run.info.run_id, key) for key in run.data.metrics)
    return {Point(one.key, one.value, one.timestamp, one.step) for history in histories for one in history}


def _mark_superseded(experiment: Experiment, contents: RunContents) -> None:
    """Mark the runs of this name that another specification, corpus or code has made."""
    others = f"attributes.run_name = '{contents.name}' and tags.{RUN_KEY} != '{contents.run_key}'"
    for run in experiment.find_runs(others):
        experiment.set_tags(run.info.run_id, {SUPERSEDED: "true"})
        if run.info.status == "RUNNING":
            experiment.client.set_terminated(run.info.run_id, "KILLED")


def _searched(run: Mapping[str, Any]) -> dict[str, str]:
    """Return the values that a search gave to a run, by the paths that other parameters have as well."""
    return parameters_of(run["search"]["values"]) if "search" in run else {}


def _tags(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, str]:
    tags = {
        RUN_KEY: run["run_key"],
        "study": run["study"],
        "model": run["model"]["kind"],
        "tokenizer": run["tokenizer"],
        "device": run["device"],
        "code": run["code"],
        "stopped_by": run["stopped_by"],
        NOTE: describe_run(run, metrics),
    }
    if "search" in run:
        tags["search"] = run["search"]["name"]
    commit = run.get("git_commit")
    return {**tags, "mlflow.source.git.commit": commit} if commit else tags


def describe_run(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return what MLflow shows as the description of a run, in Markdown.

    Args:
        run: `run.json`.
        metrics: `metrics.json`.
    """
    test, share = metrics["splits"]["test"], run.get("train_share", 1)
    text = "" if share == 1 else f" of {share:g} of the training chapters"
    interval = "" if test["ci_low"] is None else f" (95 %: {test['ci_low']:.3f} to {test['ci_high']:.3f})"
    return (
        f"**{test['bits_per_character']:.3f} bits per character**{interval} "
        f"and perplexity {test['perplexity']:.1f} on {test['chapters']} chapters that it has not seen.\n\n"
        f"`{run['model']['kind']}` with {run['parameters']:,} parameters, seed {run['seed']}, tokenizer "
        f"`{run['tokenizer']}` ({run['vocabulary_size']:,} tokens); trained on {run['tokens']:,} tokens{text} in "
        f"{run['train_seconds']:.0f} s on {run['device']}, ended by {run['stopped_by']} "
        f"at step {run['steps']:,}, weights of step {run['best_step']:,} kept."
    )


def _dataset(run: Mapping[str, Any], tokens: Mapping[str, Any]) -> DatasetInput:
    """Return the token files as MLflow's dataset; its digest is that of their checksums."""
    source = f"results/{run['study']}/tokens/{run['tokenizer']}"
    dataset = Dataset(
        name=run["study"],
        digest=digest(run["inputs"]),
        source_type="local",
        source=canonical_json({"uri": source, "sha256": run["inputs"]}),
        profile=canonical_json(tokens),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
