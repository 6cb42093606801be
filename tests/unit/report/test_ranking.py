from collections.abc import Callable

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.ranking import ROWS_MAX, draw_leaderboard


def names_in(figure: Figure) -> list[str]:
    """Return the names beside the rows, without the ranks before them."""
    return [label.get_text().split("  ")[1] for label in figure.axes[0].get_yticklabels()]


def test_the_best_stands_on_top_and_the_champion_is_marked(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_leaderboard(leaderboard_of({"a.s1": (2.5, 2.1), "b.s1": (2.2, 2.3)}))
    axes = figure.axes[0]
    assert names_in(figure) == ["b.s1", "a.s1"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert [text.get_text() for text in axes.texts] == ["2.200", "2.500  champion"]
    assert "bits a character" in axes.get_xlabel()
    assert texts_outside(figure) == []


def test_an_interval_is_drawn_from_its_low_end_to_its_high_end(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None
) -> None:
    figure = draw_leaderboard(leaderboard_of({"a.s1": (2.5, 2.1)}))
    bar, dot = figure.axes[0].lines
    assert list(bar.get_xdata()) == [2.48, 2.52]
    assert list(dot.get_xdata()) == [2.5]


def test_the_seeds_of_a_network_share_a_row_with_two_bars_and_a_dot_each(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_leaderboard(leaderboard_of({"a.s1": (2.5, 2.3), "a.s2": (2.3, 2.1), "b.s1": (2.45, 2.2)}))
    axes = figure.axes[0]
    assert names_in(figure) == ["a", "b"]
    assert [text.get_text() for text in axes.texts] == ["2.400  champion", "2.450"]
    by_text, by_seeds, mean = axes.lines[:3]
    assert list(by_text.get_xdata()) == pytest.approx([2.38, 2.42])
    reach = 12.706 * 0.1  # t of one degree of freedom, times s / sqrt(2)
    assert list(by_seeds.get_xdata()) == pytest.approx([2.4 - reach, 2.4 + reach], rel=1e-3)
    assert list(mean.get_xdata()) == pytest.approx([2.4])
    assert sorted(axes.lines[-1].get_xdata()) == [2.3, 2.5]
    assert texts_outside(figure) == []


def test_runs_that_share_a_rank_stand_on_one_band_and_are_marked(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    table = leaderboard_of({"a.s1": (2.2, 2.1), "b.s1": (2.3, 2.3), "c.s1": (2.4, 2.3)}).assign(rank=[1, 2, 2])
    figure = draw_leaderboard(table)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["1  a.s1", "=2  b.s1", "=2  c.s1"]
    (band,) = figure.axes[0].patches
    assert (band.get_y(), band.get_height()) == pytest.approx((0.55, 1.9))
    assert "share a rank" in figure.get_supxlabel()
    assert texts_outside(figure) == []


def test_a_run_without_an_interval_is_drawn(leaderboard_of: Callable[..., pd.DataFrame], in_style: None) -> None:
    table = leaderboard_of({"a.s1": (2.5, 2.1)}).assign(ci_low=float("nan"), ci_high=float("nan"))
    assert names_in(draw_leaderboard(table)) == ["a.s1"]


def test_of_very_many_runs_the_best_and_the_champion_are_shown(
    leaderboard_of: Callable[..., pd.DataFrame], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    scores = {f"run-{number:03}.s1": (2 + number / 1000, 3 - number / 1000) for number in range(500)}
    figure = draw_leaderboard(leaderboard_of(scores))
    assert names_in(figure) == [f"run-{number:03}.s1" for number in [*range(ROWS_MAX), 499]]
    assert texts_outside(figure) == []
