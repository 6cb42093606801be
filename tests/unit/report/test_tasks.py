from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.tasks import draw_tasks, reach_table, tasks_block, tasks_page
from nextchapter.spec.tasks import TasksSpec


def _trial(
    length: int, outcome: str, error: float | None = 0.5, rate: float = 0.01, steps: int = 100
) -> dict[str, Any]:
    return {
        "length": length, "learning_rate": rate, "steps": steps, "error": error, "passed": outcome == "passed",
        "diverged": outcome == "diverged", "clipped_share": 0.25 if steps == 100 else 1.0, "limit": 0.01,
        "chance": 0.75,
    }  # fmt: skip


RECORDS = [
    {"task": "adding", "network": "tanh", "trials": [_trial(25, "failed", 0.3), _trial(25, "failed", 0.2)]},
    {
        "task": "adding",
        "network": "relu <b>",
        "trials": [_trial(25, "diverged", None, steps=300), _trial(25, "diverged", None)],
    },
    {
        "task": "adding",
        "network": "lstm",
        "trials": [
            _trial(25, "failed"),
            _trial(25, "passed", 0.005, rate=0.003, steps=300),
            _trial(1000, "passed", 0.006),
        ],
    },
    {"task": "parity", "network": "tanh", "trials": [_trial(8, "passed", 0.0), _trial(16, "failed", 0.4)]},
    {"task": "parity", "network": "relu <b>", "trials": [_trial(8, "diverged", None), _trial(8, "failed", 0.45)]},
    {"task": "parity", "network": "lstm", "trials": [_trial(8, "passed", 0.0), _trial(16, "passed", 0.0)]},
]


def test_the_table_says_how_far_each_network_came() -> None:
    table = reach_table(RECORDS).set_index(["task", "network"])
    assert table["reached"].to_dict() == {
        ("adding", "tanh"): 0, ("adding", "relu <b>"): 0, ("adding", "lstm"): 1000,
        ("parity", "tanh"): 8, ("parity", "relu <b>"): 0, ("parity", "lstm"): 16,
    }  # fmt: skip
    assert table["outcome"].tolist() == ["failed", "diverged", "passed", "failed", "failed", "passed"]
    assert table.loc[("adding", "tanh"), "error"] == 0.2
    assert table.loc[("parity", "tanh"), "failed_at"] == 16
    assert pd.isna(table.loc[("parity", "lstm"), "failed_at"])
    assert pd.isna(table.loc[("adding", "relu <b>"), "error"])
    assert table.loc[("adding", "lstm"), "learning_rate"] == 0.01
    # 100 steps of which a quarter was clipped, 300 of which all were, and 100 again: 350 of 500
    assert table.loc[("adding", "lstm"), "clipped_share"] == pytest.approx(0.7)


def _marks(figure: Figure, panel: int) -> set[tuple[float, float, str, str]]:
    """Return place, row, marker and face of all marks of a panel."""
    return {
        (line.get_xdata()[0], line.get_ydata()[0], str(line.get_marker()), str(line.get_markerfacecolor()))
        for line in figure.axes[panel].lines
        if line.get_marker() != "None"
    }


def test_the_figure_has_a_mark_for_each_length_that_was_tried() -> None:
    figure = draw_tasks(RECORDS)
    learned, failed, diverged = ("o", "#0072B2"), ("o", "white"), ("X", "#1c1c22")
    assert _marks(figure, 0) == {(0, 0, *failed), (0, 1, *diverged), (0, 2, *learned), (1, 2, *learned)}
    assert _marks(figure, 1) == {
        (0, 0, *learned), (1, 0, *failed), (0, 1, *failed), (0, 2, *learned), (1, 2, *learned),
    }  # fmt: skip
    adding = figure.axes[0]
    assert [label.get_text() for label in adding.get_xticklabels()] == ["25", "1,000"]
    assert [label.get_text() for label in adding.get_yticklabels()] == ["tanh", "relu <b>", "lstm"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["learned", "not learned", "numbers overflowed"]


def test_three_tasks_leave_a_panel_empty_and_one_stands_alone() -> None:
    copying = [{**record, "task": "copying"} for record in RECORDS[:3]]
    axes = draw_tasks([*RECORDS, *copying]).axes
    assert [panel.axison for panel in axes] == [True, True, True, False]
    assert len(draw_tasks(RECORDS[:3]).axes) == 1


def test_the_page_shows_names_as_they_are_and_says_what_counts() -> None:
    block = tasks_block(RECORDS)
    assert "<th>relu &lt;b&gt;</th>" in block
    assert '<tr><th>lstm</th><td class="all">1,000</td><td class="all">16</td></tr>' in block
    assert '<tr><th>tanh</th><td class="none">–</td><td>8</td></tr>' in block
    assert "Le et al., 2015" in block
    assert "Arjovsky" not in block  # the copying task was not asked
    page = tasks_page(RECORDS)
    assert block in page
    assert page.count("<svg") == 1


def test_the_networks_of_the_default_tasks_are_explained_and_no_others() -> None:
    assert "tanh is Elman's simple network; lstm is an LSTM as one usually begins." in _text(tasks_block(RECORDS))
    ours = [{**RECORDS[0], "network": "ours"}]
    assert "The networks are" not in tasks_block(ours)
    networks = TasksSpec().networks
    told = _text(tasks_block([{**RECORDS[0], "network": name} for name in networks]))
    assert all(f"{name} is " in told for name in networks)


def _text(html: str) -> str:
    return " ".join(html.split())
