"""The screen before the first job: what will run, for how long, and on how much disk."""

import math
import shutil
from collections.abc import Collection
from pathlib import Path

from nextchapter.flow import Flow
from nextchapter.report.estimate import Job, estimate, expected_tokens, expected_weights, measure_core
from nextchapter.report.terminal import ROWS_MAX, WIDTH, Paint, few, field, fit, more, path_field
from nextchapter.report.wording import counted


def describe_study(flow: Flow, jobs: Collection[Job], cores: int, colour: bool = False) -> str:
    """Return the screen before the first job: what will run, for how long, on how much disk.

    Args:
        flow: the study.
        jobs: those that Snakemake is about to do.
        cores: how many of them at once.
        colour: use the terminal's bold and colours.
    """
    paint = Paint(colour)
    lines = [
        "",
        paint.bold(fit(f"{flow.name}: {counted(len(flow.files), 'book')}, {counted(len(flow.runs), 'run')}", WIDTH)),
        "",
        *field("books", few([file.name for file in flow.files])),
        path_field("from", flow.shelf),
    ]
    for name, tokenizer in flow.study.tokenizers.items():
        lines += field("tokenizer", f"{name}, {tokenizer.expected_size:,} {tokenizer.unit}")
    for name, vectors in flow.study.embeddings.items():
        lines += field("embedding", f"{name}, {vectors.dimensions} numbers a token, by {vectors.describe()}")
    for name in flow.study.searches:
        lines += field("search", _search(flow, name))
    lines += ["", *_table_of_runs(flow, jobs, paint), "", *_cost(flow, jobs, cores)]
    lines.append(path_field("results", f"results/{flow.name}/"))
    return "\n".join([*lines, ""])


def _search(flow: Flow, name: str) -> str:
    """Return how many points a search tries, in which keys, with what budget."""
    search = flow.study.searches[name]
    budgets = [] if search.max_seconds is None else [f"{search.max_seconds:,.0f} s of training"]
    budgets += [] if search.max_tokens is None else [f"{_rough(search.max_tokens)} tokens"]
    total = f"; {' or '.join(budgets)} in all" if budgets else ""
    return f"{name}, {counted(search.size, 'point')} in {few(search.fields)}{total}"


def _table_of_runs(flow: Flow, jobs: Collection[Job], paint: Paint) -> list[str]:
    lines = [paint.muted(f"  {'run':<22}{'network':<24}{'parameters':>11}  {'will read'}")]
    for name, (run, _) in list(flow.runs.items())[:ROWS_MAX]:
        model, parameters = run.model, expected_weights(flow, name).total
        reads = _budget(flow, name) if Job("train_model", name) in jobs else _without_training(flow, name)
        network = ", ".join(filter(None, [model.kind, model.describe()]))
        size = f"{parameters:,}" if parameters < 1e9 else _rough(parameters)
        if model.reads_once or not parameters:
            size = "counted"
        lines.append(f"  {fit(name, 21):<22}{fit(network, 23):<24}{size:>11}  {reads}")
    return lines + more(len(flow.runs))


def _without_training(flow: Flow, run: str) -> str:
    is_trained = Path("results", flow.name, "runs", run, "model.safetensors").is_file()
    return "is trained" if is_trained else "not this time"


def _budget(flow: Flow, run: str) -> str:
    """Return how much a run will read at most, or for how long if that alone is said."""
    tokens, seconds = expected_tokens(flow, run), flow.runs[run][0].training.max_seconds
    return f"for {seconds:,.0f} s" if seconds is not None and math.isinf(tokens) else f"{_rough(tokens)} tokens"


def _cost(flow: Flow, jobs: Collection[Job], cores: int) -> list[str]:
    """Return the lines on time and disk; the estimate is a range, since it is no more than that."""
    waiting = [job.name for job in jobs if job.rule == "train_model"]
    vectors = [job.name for job in jobs if job.rule == "train_embedding"]
    cost = estimate(flow, jobs, cores, measure_core())
    work = [f"learn {counted(len(vectors), 'embedding')}"] * bool(vectors) + [
        f"train {counted(len(waiting), 'run')}"
    ] * bool(waiting)
    what = f"to {' and '.join(work)} on {counted(cores, 'core')}" if work else "nothing left to train"
    lines = field("time", f"about {_range(cost.least_s, cost.most_s)}, {what}")
    if any(flow.gpus(name) for name in waiting):
        lines += field("", "less with the GPU, whose speed is not in this estimate")
    free = shutil.disk_usage(Path.cwd()).free
    short = "" if cost.disk_bytes < free else ", which is TOO LITTLE"
    return lines + field("disk", f"about {_bytes(cost.disk_bytes)} of {_bytes(free)} free{short}")


def _range(least_s: float, most_s: float) -> str:
    """Return a range of time: `7 to 13 minutes`."""
    if most_s > 5400:
        return f"{least_s / 3600:.1f} to {most_s / 3600:.1f} hours"
    least, most = max(1, round(least_s / 60)), math.ceil(most_s / 60)
    return f"{least} to {most} minutes" if most > least else f"{least} minute{'s' * (least > 1)}"


def _rough(number: float) -> str:
    """Return a number as a person says it: `2.5 million`."""
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e3, ",000")):
        if number >= size:
            return f"{number / size:.{0 if word == ',000' else 1}f}{word}"
    return f"{number:.0f}"


def _bytes(size: float) -> str:
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.0f} {unit}"
    return f"{size / 1000:.1f} TB"
