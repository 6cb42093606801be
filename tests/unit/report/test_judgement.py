import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.judgement import CURVES_MAX, draw_calibration, draw_losses, tabulate_losses


def profile(run: str, **changes: Any) -> dict[str, Any]:
    curve = [
        {"low": 0.2, "high": 0.3, "tokens": 30, "confidence": 0.25, "accuracy": 0.2},
        {"low": 0.6, "high": 0.7, "tokens": 10, "confidence": 0.65, "accuracy": 0.5},
    ]
    place = [
        {"low": 0, "high": 100, "characters": 900.0, "bits_per_character": 2.5},
        {"low": 100, "high": 200, "characters": 800.0, "bits_per_character": 2.0},
    ]
    frequency = [
        {"low": low, "high": high, "words": words, "bits_per_word": bits, "bits_per_character": bits / 6}
        for low, high, words, bits in ((0, 0, 7, 30.0), (1, 9, 70, 14.0), (1000, 9999, 700, 5.0))
    ]
    truncation = [
        {"low": 0, "high": 24, "tokens": 9, "nats_per_token": 4.0},
        {"low": 24, "high": 48, "tokens": 9, "nats_per_token": 3.0},
    ]
    tables = {"reliability": curve, "place": place, "truncation": truncation, "frequency": frequency}
    return {"run": run, **tables, **changes}


def test_each_run_has_a_curve_of_its_own_beside_the_line_of_a_perfect_one(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    board = leaderboard_of({"b.s1": (2.2, 2.3), "a.s1": (2.5, 2.1)})
    figure = draw_calibration({run: profile(run) for run in ("a.s1", "b.s1")}, board)
    left, right = (axes for axes in figure.axes if axes.get_visible())
    assert (left.get_title("left"), right.get_title("left")) == ("b.s1", "a.s1")
    perfect, curve = left.lines
    assert list(perfect.get_xdata()) == list(perfect.get_ydata())
    assert (list(curve.get_xdata()), list(curve.get_ydata())) == ([0.25, 0.65], [0.2, 0.5])
    assert [text.get_text() for text in left.texts] == ["off by 4.0 %"]
    assert texts_outside(figure) == []


def test_of_very_many_runs_the_best_and_the_champion_have_curves(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None
) -> None:
    scores = {f"run-{number:02}.s1": (2 + number / 100, 3 - number / 100) for number in range(30)}
    figure = draw_calibration({run: profile(run) for run in scores}, leaderboard_of(scores))
    titles = [axes.get_title("left") for axes in figure.axes if axes.get_visible()]
    assert titles == [f"run-{number:02}.s1" for number in [*range(CURVES_MAX - 1), 29]]


def test_the_table_holds_every_class_of_every_run() -> None:
    table = tabulate_losses({"a.s1": profile("a.s1"), "b.s1": profile("b.s1", truncation=[])})
    assert table.groupby(["run", "table"]).size().to_dict() == {
        ("a.s1", "place"): 2, ("a.s1", "truncation"): 2, ("a.s1", "frequency"): 3,
        ("b.s1", "place"): 2, ("b.s1", "frequency"): 3,
    }  # fmt: skip
    rare = table[(table["run"] == "b.s1") & (table["table"] == "frequency")].iloc[0]
    assert rare[["low", "high", "unit", "count", "loss"]].tolist() == [0, 0, "bits_per_word", 7, 30.0]


@pytest.fixture
def board(leaderboard_of: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return leaderboard_of({"b.s1": (2.2, 2.3), "a.s1": (2.5, 2.1)}).assign(model=["lstm", "ngram"])


def test_words_are_drawn_against_the_best_run(
    board: pd.DataFrame, in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    worse = [{**row, "bits_per_word": row["bits_per_word"] + 1.5} for row in profile("a.s1")["frequency"]]
    losses = tabulate_losses({"a.s1": profile("a.s1", frequency=worse, truncation=[]), "b.s1": profile("b.s1")})
    figure = draw_losses(losses, board)
    place, words, cuts = figure.axes
    assert [list(line.get_ydata()) for line in words.lines[:2]] == [[0.0, 0.0, 0.0], [1.5, 1.5, 1.5]]
    assert [label.get_text() for label in words.get_xticklabels()] == ["never\n7", "1 to 9\n70", "1,000+\n700"]
    assert [label.get_text() for label in place.get_xticklabels()] == ["100", "200"]
    assert list(cuts.lines[0].get_ydata()) == [0.5, -0.5]
    assert {text.get_text() for text in cuts.texts} == {"b.s1"}
    assert {text.get_text() for text in place.texts} == {"a.s1", "b.s1"}
    assert texts_outside(figure) == []


def test_without_a_run_that_was_trained_in_stretches_the_figure_says_so(board: pd.DataFrame, in_style: None) -> None:
    losses = tabulate_losses({run: profile(run, truncation=[]) for run in ("a.s1", "b.s1")})
    assert "No run" in draw_losses(losses, board).axes[2].texts[0].get_text()


def test_one_run_of_each_kind_is_drawn(leaderboard_of: Callable[..., pd.DataFrame], in_style: None) -> None:
    scores = {"a.s1": (2.5, 2.1), "b.s1": (2.2, 2.3), "c.s1": (2.1, 2.3)}
    board = leaderboard_of(scores).assign(model=["lstm", "lstm", "ngram"])
    figure = draw_losses(tabulate_losses({run: profile(run) for run in scores}), board)
    assert {text.get_text() for text in figure.axes[0].texts} == {"c.s1", "a.s1"}


def test_runs_with_cuts_at_other_places_have_lines_and_names(board: pd.DataFrame, in_style: None) -> None:
    shorter = [{**row, "low": row["low"] // 2, "high": row["high"] // 2} for row in profile("a.s1")["truncation"]]
    profiles = {"a.s1": profile("a.s1", truncation=shorter), "b.s1": profile("b.s1")}
    cuts = draw_losses(tabulate_losses(profiles), board).axes[2]
    assert [label.get_text() for label in cuts.get_xticklabels()] == ["12", "24", "48"]
    lines = {line.get_color(): [list(line.get_xdata()), list(line.get_ydata())] for line in cuts.lines[:2]}
    colours = {text.get_text(): text.get_color() for text in cuts.texts}
    assert lines[colours["b.s1"]] == [[1, 2], [0.5, -0.5]]
    assert lines[colours["a.s1"]] == [[0, 1], [0.5, -0.5]]
    assert all(math.isfinite(text.get_position()[1]) for text in cuts.texts)
