from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from nextchapter.report.examination import add_copying, chapters_table, marks, nearest_other
from nextchapter.report.table import leaderboard_page


@pytest.fixture
def leaderboard(leaderboard_of: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return leaderboard_of({"a.s1": (2.5, 2.1), "b.s1": (2.2, 2.3)})


def test_a_run_that_copies_too_much_is_flagged_in_the_leaderboard(
    leaderboard: pd.DataFrame, examination_of: Callable[..., dict[str, Any]]
) -> None:
    found = add_copying(leaderboard, [examination_of("a.s1", 21), examination_of("b.s1", 20)])
    assert found.set_index("run")["longest_copied_words"].to_dict() == {"a.s1": 21, "b.s1": 20}
    assert found.set_index("run")["copies"].to_dict() == {"a.s1": True, "b.s1": False}
    html = leaderboard_page(found)
    assert html.count("⚑ copies") == 1
    assert html.index("a.s1") < html.index("⚑ copies")
    assert "⚑" not in leaderboard_page(leaderboard)


def test_examinations_of_other_runs_are_refused(
    leaderboard: pd.DataFrame, examination_of: Callable[..., dict[str, Any]]
) -> None:
    with pytest.raises(ValueError, match=r"\['c.s1'\]"):
        add_copying(leaderboard, [examination_of("c.s1")])


def test_what_is_found_stands_below_a_chapter(examination_of: Callable[..., dict[str, Any]]) -> None:
    html = marks(examination_of("a.s1", 21))
    assert "Copies more than 20 words in a row." in html
    assert '<q lang="" dir="auto">&lt;so&gt; it was, and</q> (austen-emma, chapter 35)' in html
    assert "<dt>distance from Jane Austen</dt><dd>0.66 <small>(0.10 to 0.90)</small></dd>" in html
    assert "<dt>distance from the nearest other author, Maria Edgeworth</dt><dd>0.80" in html
    assert "Copies more" not in marks(examination_of("a.s1", 20))
    assert "No four words in a row" in marks(examination_of("a.s1", 0, copied_from=None))


def test_an_author_alone_has_no_nearest_other(examination_of: Callable[..., dict[str, Any]]) -> None:
    alone = examination_of("a.s1", deltas={"Jane Austen": 0.5})
    del alone["measures"]["delta_to_nearest_other"]
    assert nearest_other(alone) is None
    assert "other author" not in marks(alone)
    (row,) = chapters_table([alone]).to_dict("records")
    assert row["nearest_other"] == ""
    assert pd.isna(row["delta_to_nearest_other"])
