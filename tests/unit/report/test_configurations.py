from collections.abc import Callable
from math import isnan, sqrt
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from nextchapter.report.configurations import COLUMNS, compare_configurations, configurations_of, have_seeds
from nextchapter.spec.study import configuration_of, run_name
from nextchapter.store.tables import write_csv

SEEDS = {"b.s1": (2.2, 2.3), "b.s2": (2.3, 2.1), "b.s3": (2.1, 2.2), "a.s1": (2.5, 2.0), "a.s2": (2.1, 2.5)}


@pytest.mark.parametrize(("name", "seed"), [("lstm", 1), ("lstm.s1", 1), ("lstm.s1", 2), ("s2", 2), ("x", 12)])
def test_the_configuration_of_a_run_is_what_its_name_was_made_of(name: str, seed: int) -> None:
    assert configuration_of(run_name(name, seed), seed) == name


def test_the_seeds_of_a_configuration_are_one_row_with_their_mean(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    table = compare_configurations(leaderboard_of(SEEDS))
    assert tuple(table.columns) == COLUMNS
    assert table["configuration"].tolist() == ["b", "a"]
    assert table["runs"].tolist() == [3, 2]
    assert table["rank"].tolist() == [1, 2]
    assert table["champion"].tolist() == [False, True]
    assert table["test_bits_per_character"].tolist() == pytest.approx([2.2, 2.3])
    assert table["valid_bits_per_character"].tolist() == pytest.approx([2.2, 2.25])
    assert table["ci_low"].tolist() == pytest.approx([2.18, 2.28])


def test_the_interval_over_seeds_is_student_s(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    row = compare_configurations(leaderboard_of(SEEDS)).iloc[0]
    assert row["standard_deviation"] == pytest.approx(0.1)
    expected = stats.t.interval(0.95, df=2, loc=2.2, scale=0.1 / sqrt(3))
    assert (row["seeds_low"], row["seeds_high"]) == pytest.approx(expected)


def test_a_single_run_has_no_spread(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    board = leaderboard_of({"a.s1": (2.5, 2.1), "b.s1": (2.4, 2.1)})
    assert not have_seeds(board)
    assert have_seeds(leaderboard_of(SEEDS))
    table = compare_configurations(board)
    assert table["configuration"].tolist() == ["b", "a"]
    assert all(isnan(value) for value in table["seeds_low"])


def test_a_score_that_one_run_lacks_has_no_mean(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    board = leaderboard_of(SEEDS)
    board.loc[board["run"] == "b.s2", "test_perplexity"] = None
    table = compare_configurations(board)
    assert table["test_perplexity"].isna().tolist() == [True, False]
    assert compare_configurations(board.assign(test_perplexity=None))["test_perplexity"].isna().all()


def test_names_that_look_like_numbers_stay_names(leaderboard_of: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    board = leaderboard_of({"2026.s1": (2.5, 2.1), "2026.s2": (2.4, 2.1)})
    assert configurations_of(board).tolist() == ["2026", "2026"]
    write_csv(tmp_path / "c.csv", compare_configurations(board))
    assert (tmp_path / "c.csv").read_text().splitlines()[1].startswith("1,2026,lstm,unigram-2k,1000000,2,")
