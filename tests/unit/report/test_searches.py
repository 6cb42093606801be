"""What a search has found, in tables whose best is known by hand."""

from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.searches import draw_search, search_table

RATE, SIZE = "training.learning_rate", "model.hidden"


def records(runs: dict[str, tuple[dict[str, Any], float, float]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return `run.json` and `metrics.json` of some runs with their values and scores on validation and test."""
    provenance, metrics = [], []
    for run, (values, valid, test) in runs.items():
        seed = int(run.rpartition(".s")[2])
        search = {"name": "s", "values": values}
        provenance.append({"run": run, "seed": seed, "search": search, "train_seconds": 60.0, "parameters": 1000})
        splits = {"valid": {"bits_per_character": valid}, "test": {"bits_per_character": test}}
        metrics.append({"run": run, "splits": splits})
    return provenance, metrics


def table_of(runs: dict[str, tuple[dict[str, Any], float, float]], fields: list[str]) -> pd.DataFrame:
    return search_table(*records(runs), fields)


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")))


def test_the_best_is_chosen_on_validation_and_by_the_mean_over_seeds() -> None:
    runs = {
        "s.1.s1": ({RATE: 0.1}, 2.0, 2.5), "s.1.s2": ({RATE: 0.1}, 2.6, 2.5),  # mean 2.3, the best single run
        "s.2.s1": ({RATE: 0.2}, 2.2, 2.4), "s.2.s2": ({RATE: 0.2}, 2.1, 2.4),  # mean 2.15
        "s.3.s1": ({RATE: 0.3}, 2.7, 1.0), "s.3.s2": ({RATE: 0.3}, 2.7, 1.0),  # the best on test
    }  # fmt: skip
    table = table_of(runs, [RATE])
    assert table["run"].tolist() == ["s.2.s1", "s.2.s2", "s.1.s1", "s.1.s2", "s.3.s1", "s.3.s2"]
    assert table["best"].tolist() == [True, True, False, False, False, False]
    assert list(table.columns) == [
        "run", "configuration", "seed", RATE, "valid_bits_per_character", "test_bits_per_character", "train_seconds",
        "parameters", "best",
    ]  # fmt: skip


def test_records_of_other_runs_are_refused() -> None:
    provenance, metrics = records({"s.1.s1": ({RATE: 0.1}, 2.0, 2.0), "s.2.s1": ({RATE: 0.2}, 2.0, 2.0)})
    with pytest.raises(ValueError, match="same runs"):
        search_table(provenance, metrics[::-1], [RATE])
    with pytest.raises(ValueError, match="at least one"):
        search_table([], [], [RATE])


def test_two_keys_of_a_grid_are_a_map_with_the_mean_of_each_pair_and_a_frame_on_the_best() -> None:
    runs = {
        f"s.{a}-{b}.s{seed}": ({SIZE: 2**a, RATE: 10.0**-b}, 2 + 0.1 * a + 0.01 * b + 0.002 * seed, 3.0)
        for a in (1, 2)
        for b in (1, 2, 3)
        for seed in (1, 3)
    }
    figure = draw_search(table_of(runs, [SIZE, RATE]), [SIZE, RATE], [], {})
    axes = figure.axes[0]
    shades = axes.images[0].get_array()
    assert shades is not None
    assert shades.tolist()[0] == pytest.approx([2.134, 2.124, 2.114])  # 0.001, 0.01, 0.1: the key with more values
    assert (axes.get_xlabel(), axes.get_ylabel()) == (RATE, SIZE)
    (frame,) = axes.patches
    assert frame.get_xy() == (1.5, -0.5)  # size 2, rate 0.1
    assert "2.114" in texts(figure)
    assert "the best, s.1-1," in texts(figure)


def test_drawn_keys_have_a_panel_each_those_by_orders_of_magnitude_a_logarithmic_axis() -> None:
    runs = {
        f"s.{n:03d}.s1": (
            {RATE: 10 ** (-4 + n / 4), "model.dropout": n / 40, "model.kind": "ab"[n % 2]},
            2 + n / 10,
            2.0,
        )
        for n in range(1, 11)
    }
    fields = [RATE, "model.dropout", "model.kind"]
    figure = draw_search(table_of(runs, fields), [], fields, {RATE: "log", "model.dropout": "linear"})
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_xlabel() for axes in panels] == fields
    assert [axes.get_xscale() for axes in panels] == ["log", "linear", "linear"]
    assert [text.get_text() for text in panels[2].get_xticklabels()] == ["a", "b"]
    star = panels[0].collections[-1].get_offsets()
    assert star.tolist() == [pytest.approx([10**-3.75, 2.1])]


def test_a_run_that_lost_its_way_stands_at_the_top_and_leaves_the_others_their_room() -> None:
    runs = {f"s.{n:03d}.s1": ({RATE: float(n)}, 2 + n / 100, 2.0) for n in range(1, 10)}
    figure = draw_search(table_of({**runs, "s.010.s1": ({RATE: 10.0}, 90.0, 90.0)}, [RATE]), [], [RATE], {})
    (axes,) = figure.axes
    assert axes.get_ylim()[1] < 3
    assert len(axes.collections[1].get_offsets()) == 1  # the triangle


def test_numbers_of_a_list_that_differ_by_factors_have_a_logarithmic_axis_and_are_written_below_it() -> None:
    runs = {f"s.{n}.s1": ({SIZE: 32 * 2**n}, 2 + n / 100, 2.0) for n in range(1, 5)}
    (axes,) = draw_search(table_of(runs, [SIZE]), [SIZE], [], {}).axes
    assert (axes.get_xscale(), [text.get_text() for text in axes.get_xticklabels()]) == (
        "log", ["64", "128", "256", "512"],
    )  # fmt: skip


def test_values_of_mixed_kinds_are_told_apart() -> None:
    runs = {
        "s.1.s1": ({"training.truncation": 48}, 2.0, 2.0),
        "s.2.s1": ({"training.truncation": "chapter"}, 2.1, 2.0),
        "s.3.s1": ({"training.truncation": None}, 2.2, 2.0),
    }
    figure = draw_search(table_of(runs, ["training.truncation"]), ["training.truncation"], [], {})
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["48", "chapter", "null"]
