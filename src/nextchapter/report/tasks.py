"""The memory tasks as a table, a figure and a page: the length at which each network still learned each of them."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from nextchapter.report.figures import INK, MUTED, WIDTH_INCHES, inline_svg, short_name
from nextchapter.report.html import FIGURES_CSS, page

Record = Mapping[str, Any]
"""What became of one network in one task: `task`, `network`, `error`, and its `trials` in the order they were run."""

_BLUE, _ORANGE = "#0072B2", "#D55E00"
_MARKS: dict[str, dict[str, Any]] = {
    "passed": {"marker": "o", "color": _BLUE, "markersize": 7.5},
    "failed": {"marker": "o", "color": _ORANGE, "markersize": 7.5, "markerfacecolor": "white", "markeredgewidth": 1.6},
    "diverged": {"marker": "X", "color": INK, "markersize": 8.5, "markeredgecolor": "white"},
}
_LEGEND = {"passed": "learned", "failed": "not learned", "diverged": "numbers overflowed"}


class _Told(NamedTuple):
    title: str
    asked: str
    rule: str
    length: str = "length of the sequence, steps"


_TASKS = {
    "adding": _Told(
        "Adding",
        "Among many numbers between 0 and 1 two are marked, one in each half: what is their sum?",
        "a mean squared error below 0.01; whoever always answers 1 has 0.1667 (0.1767 in Le et al., 2015), and only "
        "what lies well below it is memory",
    ),
    "copying": _Told(
        "Copying",
        "Ten symbols out of eight kinds are shown, then so many blanks: say the ten again, in their order.",
        "less than nine tenths of 10 ln 8 / (T + 20), the nats of a network without memory (Arjovsky et al., 2016), as "
        "if it remembered one of the ten; the margin of a tenth is ours",
        "blanks to be bridged",
    ),
    "temporal_order": _Told(
        "Temporal order",
        "Among distractors stand two symbols, each A or B, in the second tenth and in the fifth of the sequence: AA, "
        "AB, BA or BB?",
        "less than 1 % wrong answers (Pascanu et al., 2013); a guess is wrong in 75 %",
    ),
    "parity": _Told(
        "Parity",
        "Is the number of ones so far odd? Asked after each bit while learning, and judged by the last answer to "
        "sequences twice as long.",
        "less than 10 % wrong answers (Delétang et al., 2023); a guess is wrong in 50 %",
    ),
}
_NETWORKS = {
    "tanh": "Elman's simple network",
    "lstm": "an LSTM as one usually begins",
    "lstm-chrono": "an LSTM whose gates begin by keeping what they read for as long as the sequences last",
}
"""What the networks are that take the tasks unless the configuration says otherwise."""

TASKS_CSS = """
table.reach { border-collapse: collapse; background: var(--sheet); border: 1px solid var(--line); margin: 0 0 1rem; }
.reach th, .reach td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; }
.reach th { font-size: .82rem; font-weight: 600; color: var(--muted); vertical-align: bottom; }
.reach th:first-child { text-align: left; }
.reach tbody th { color: var(--ink); }
.reach td.all { font-weight: 700; background: rgb(var(--accent) / .14); }
.reach td.none { color: var(--muted); }
dl.tasks { max-width: 46rem; } .tasks dt { font-weight: 600; } .tasks dd { margin: 0 0 .8rem; color: var(--muted); }
@media (max-width: 40rem) { .reach th, .reach td { padding: .3rem .35rem; font-size: .78rem; } }
"""
_CSS = FIGURES_CSS + TASKS_CSS + "main { max-width: 52rem; } p { max-width: 46rem; } svg { margin: 0 0 1.25rem; }"


def reach_table(records: Sequence[Record]) -> pd.DataFrame:
    """Return a row for each task and network: how far it came, and how it fared where it failed.

    Returns:
        task, network;
        reached: the greatest length that it learned, 0 if none;
        failed_at, outcome: the length where it ended, and whether it `failed` or `diverged` there; missing and `passed`
        where it learned all lengths;
        learning_rate, steps: what it learned the length `reached` with;
        error, limit, chance: the least error at `failed_at`, or that at `reached`; what it had to be below, and what
        the best answer without memory has;
        clipped_share: of the training steps in all its trials.
    """
    return pd.DataFrame([_row(record) for record in records])


def _row(record: Record) -> dict[str, Any]:
    trials = record["trials"]
    best = next((trial for trial in reversed(trials) if trial["passed"]), None)
    length, last = _by_length(record)[-1]
    outcome = _outcome(last)
    errors = [trial["error"] for trial in last if trial["error"] is not None]
    steps = sum(trial["steps"] for trial in trials)
    return {
        "task": record["task"],
        "network": record["network"],
        "reached": best["length"] if best else 0,
        "failed_at": pd.NA if outcome == "passed" else length,
        "outcome": outcome,
        "learning_rate": best["learning_rate"] if best else pd.NA,
        "steps": best["steps"] if best else pd.NA,
        "error": min(errors, default=pd.NA),
        "limit": last[-1]["limit"],
        "chance": last[-1]["chance"],
        "clipped_share": sum(trial["clipped_share"] * trial["steps"] for trial in trials) / steps,
    }


def _by_length(record: Record) -> list[tuple[int, list[Record]]]:
    """Return the lengths that were tried, each with its trials."""
    return [(length, list(trials)) for length, trials in groupby(record["trials"], key=lambda trial: trial["length"])]


def _outcome(trials: Sequence[Record]) -> str:
    """Return what became of a length: `diverged` where the numbers overflowed at each learning rate."""
    if trials[-1]["passed"]:
        return "passed"
    return "diverged" if all(trial["diverged"] for trial in trials) else "failed"


def draw_tasks(records: Sequence[Record]) -> Figure:
    """Draw a panel a task: networks below each other, a mark for each length that was tried."""
    panels = [(task, list(own)) for task, own in groupby(records, key=lambda record: record["task"])]
    rows, columns = (len(panels) + 1) // 2, min(len(panels), 2)
    height = 0.9 + rows * (0.75 + 0.27 * max(len(own) for _, own in panels))
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.subplots(rows, columns, sharey="row", squeeze=False).flat
    for place, (task, own) in enumerate(panels):
        _draw_task(axes[place], _TASKS[task], own)
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    used = {_outcome(trials) for record in records for _, trials in _by_length(record)}
    handles = [Line2D([], [], linestyle="", label=_LEGEND[name], **_MARKS[name]) for name in _MARKS if name in used]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    return figure


def _draw_task(axes: Axes, told: _Told, records: Sequence[Record]) -> None:
    """Draw one panel; the first network stands at the top."""
    tried = [_by_length(record) for record in records]
    lengths = sorted({length for own in tried for length, _ in own})
    for row, own in enumerate(tried):
        places = [lengths.index(length) for length, trials in own if _outcome(trials) == "passed"]
        axes.plot(places, [row] * len(places), color=_BLUE, linewidth=2)
        for length, trials in own:
            axes.plot(lengths.index(length), row, linestyle="", **_MARKS[_outcome(trials)])
    axes.set_xticks(range(len(lengths)), [f"{length:,}" for length in lengths])
    axes.set_yticks(range(len(records)), [short_name(record["network"]) for record in records])
    axes.tick_params(axis="y", labelcolor=INK, length=0)
    axes.set(xlim=(-0.5, len(lengths) - 0.5), ylim=(len(records) - 0.5, -0.5), title=told.title)
    axes.set_xlabel(told.length, color=MUTED)
    axes.grid(visible=False, axis="x")


def tasks_page(records: Sequence[Record]) -> str:
    """Return the page: why memory is tried on made-up sequences, figure, table, and what counts as learned."""
    body = f"""<h1>How long do networks remember?</h1>
<p class="lead">In a book it is hard to say what a network must remember. So here are sequences made for one purpose:
something early in them must be known at the end, and the longer they are, the longer the gap.</p>
<p>A network learns to remember only if the error at the end reaches the beginning, backwards through every step. In a
simple network each step back multiplies it by the same weights: it shrinks to nothing, or it grows until the numbers
overflow. Gates, other beginnings of the weights, and limits to the gradient are remedies, and this is what they are
worth.</p>
{inline_svg(lambda: draw_tasks(records), "The lengths at which each network learned each memory task")}
{tasks_block(records)}"""
    return page("How long do networks remember?", _CSS, body)


def tasks_block(records: Sequence[Record]) -> str:
    """Return the table of the lengths reached, and what each task asks, as HTML to stand inside a page."""
    table = reach_table(records)
    tasks = list(dict.fromkeys(table["task"]))
    longest = {
        task: max(trial["length"] for record in records if record["task"] == task for trial in record["trials"])
        for task in tasks
    }
    rows = []
    for network, own in table.groupby("network", sort=False):
        reached = own.set_index("task")["reached"]
        cells = "".join(_cell(int(reached[task]), longest[task]) for task in tasks)
        rows.append(f"<tr><th>{escape(str(network))}</th>{cells}</tr>")
    heads = "".join(f"<th>{_TASKS[task].title}</th>" for task in tasks)
    told = "\n".join(
        f"<dt>{_TASKS[task].title}</dt><dd>{_TASKS[task].asked} Learned means: {_TASKS[task].rule}.</dd>"
        for task in tasks
    )
    return f"""<table class="reach">
<thead><tr><th>network</th>{heads}</tr></thead>
<tbody>
{"".join(rows)}
</tbody>
</table>
<p class="note">The greatest length that was learned; in bold the greatest that any network was asked. A dash: not even
the first. A network that fails a length is not asked for the next; another seed, more steps or a wider network may come
further.{_told_networks(table["network"].unique())}</p>
<dl class="tasks">
{told}
</dl>"""


def _told_networks(networks: Iterable[str]) -> str:
    """Return what networks of well-known names are; nothing of others."""
    told = [f"{escape(name)} is {_NETWORKS[name]}" for name in networks if name in _NETWORKS]
    return f" The networks are small ones, made for this alone: {'; '.join(told)}." if told else ""


def _cell(reached: int, longest: int) -> str:
    if not reached:
        return '<td class="none">–</td>'
    return f'<td class="all">{reached:,}</td>' if reached == longest else f"<td>{reached:,}</td>"
