"""A study as MLflow shall show it: leaderboard, champion, chapter and figures, on the parent of its runs."""

import csv
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nextchapter.report.figures import family_colours
from nextchapter.tracking.points import Point, milliseconds
from nextchapter.tracking.store import CURRENT_RUNS, NOTE, Experiment

_CHAMPION_SCORES = (
    "valid_bits_per_character",
    "test_bits_per_character",
    "test_nats_per_token",
    "test_perplexity",
    "test_perplexity_per_word",
    "test_bits_per_byte",
    "test_word_accuracy",
    "test_expected_calibration_error",
)
Row = Mapping[str, str]


def read_leaderboard(path: Path) -> list[Row]:
    """Return the rows of `leaderboard.csv`, best first."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def publish_study(experiment: Experiment, rows: Sequence[Row], files: Mapping[str, Sequence[Path]]) -> None:
    """Bring the parent run to what the study's files say. Doing this twice changes nothing.

    The run stays the same when runs are added to the study: what may change is a tag or a metric, no parameter.

    Args:
        experiment: that of the study.
        rows: the leaderboard.
        files: artifacts, by folder.
    """
    run_id, client = experiment.parent_run_id, experiment.client
    (champion,) = (row for row in rows if row["champion"] == "True")
    tags = {
        "champion": champion["run"],
        "corpus": champion["corpus"],
        "runs": ", ".join(row["run"] for row in rows),
        NOTE: describe_study(rows),
    }
    experiment.set_tags(run_id, tags)
    held, now_ms = client.get_run(run_id).data.metrics, milliseconds(time.time())
    metrics = {f"champion/{name}": float(champion[name]) for name in _CHAMPION_SCORES if champion[name]}
    metrics["study/runs"] = float(len(rows))
    changed = [Point(key, value, now_ms, 0) for key, value in metrics.items() if held.get(key) != value]
    experiment.log_points(run_id, changed)
    experiment.log_files(run_id, files)
    client.set_terminated(run_id, "FINISHED")
    _mark_runs(experiment, rows)


def _mark_runs(experiment: Experiment, rows: Sequence[Row]) -> None:
    """Tag each run with whether it is the champion, and with its family's colour in the report where it is alone there.

    For other runs MLflow draws lots for the colour.
    """
    champions = [row["run"] for row in rows if row["champion"] == "True"]
    families = Counter(row["model"] for row in rows)
    colours = family_colours(families)
    for run in experiment.find_runs(CURRENT_RUNS):
        tags = {"champion": str(run.info.run_name in champions).lower()}
        family = run.data.tags.get("model", "")
        if families[family] == 1:
            tags["mlflow.runColor"] = colours[family]
        experiment.set_tags(run.info.run_id, tags)


def describe_study(rows: Sequence[Row]) -> str:
    """Return the leaderboard, scores of the test chapters, as a table in Markdown."""
    lines = ["| rank | run | parameters | bits per character | perplexity |", "|---|---|---|---|---|"]
    shared = Counter(row["rank"] for row in rows)
    for row in rows:
        rank = f"={row['rank']}" if shared[row["rank"]] > 1 else row["rank"]
        name = f"**{row['run']}**" if row["champion"] == "True" else row["run"]
        interval = f" ({float(row['ci_low']):.3f} to {float(row['ci_high']):.3f})" if row["ci_low"] else ""
        bits, perplexity = float(row["test_bits_per_character"]), float(row["test_perplexity"])
        size = f"{int(row['parameters']):,}"
        lines.append(f"| {rank} | {name} | {size} | {bits:.3f}{interval} | {perplexity:.1f} |")
    return "\n".join(lines)
