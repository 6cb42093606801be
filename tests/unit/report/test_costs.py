from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.costs import costs_table, draw_costs


@pytest.fixture
def costs(leaderboard_of: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    scores = {"a.s1": 2.4, "b.s1": 1.6, "slow.s1": 1.7, "c.s1": 1.5, "mix.s1": 1.4, "mix of mix.s1": 1.3}
    seconds = {"a.s1": 0.0, "b.s1": 10.0, "slow.s1": 40.0, "c.s1": 100.0, "mix.s1": 1.0, "mix of mix.s1": 2.0}
    made_of = {"mix.s1": ["b.s1", "c.s1"], "mix of mix.s1": ["mix.s1", "b.s1"]}
    records = [
        {"run": run, "train_seconds": seconds[run], **({"members": made_of[run]} if run in made_of else {})}
        for run in scores
    ]
    return costs_table(records, leaderboard_of({run: (bits, bits) for run, bits in scores.items()}))


def test_a_run_is_charged_with_all_that_it_is_made_of_each_once(costs: pd.DataFrame) -> None:
    total = costs.set_index("run")["total_seconds"]
    assert total["mix.s1"] == 111
    assert total["mix of mix.s1"] == 113
    assert total["c.s1"] == 100


def test_on_the_front_is_who_is_beaten_by_no_faster_run(costs: pd.DataFrame) -> None:
    pairs = costs[["total_seconds", "test_bits_per_character"]].to_numpy()
    beaten = [any(other[0] <= own[0] and other[1] < own[1] for other in pairs) for own in pairs]
    assert list(costs["on_front"]) == [not lost for lost in beaten]
    assert set(costs[~costs["on_front"]]["run"]) == {"slow.s1"}


@pytest.mark.usefixtures("in_style")
def test_names_stand_inside_the_figure(costs: pd.DataFrame, texts_outside: Callable[[Figure], list[str]]) -> None:
    figure = draw_costs(costs)
    assert texts_outside(figure) == []
    names = {text.get_text(): text.get_fontweight() for text in figure.axes[0].texts}
    assert names == {run: "normal" if run == "slow.s1" else "bold" for run in costs["run"]}


@pytest.mark.usefixtures("in_style")
def test_one_run_and_equal_runs_are_drawn(
    leaderboard_of: Callable[..., pd.DataFrame], texts_outside: Callable[[Figure], list[str]]
) -> None:
    for scores in ({"a.s1": (2.0, 2.0)}, {"a.s1": (2.0, 2.0), "b.s1": (2.0, 2.0)}):
        records: list[dict[str, Any]] = [{"run": run, "train_seconds": 0.0} for run in scores]
        table = costs_table(records, leaderboard_of(scores))
        assert table["on_front"].sum() == 1
        assert texts_outside(draw_costs(table)) == []
