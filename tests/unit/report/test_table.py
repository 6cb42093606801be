from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from nextchapter.report.table import leaderboard_page


def test_the_page_nests_and_fetches_nothing(
    leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    html = leaderboard_page(leaderboard_of({"a.s1": (2.5, 2.1), "b.s1": (2.2, 2.3)}))
    page = read_page(html)
    assert page.nests
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html


def test_each_run_is_a_row_with_its_figures_and_each_column_is_explained(
    leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    page = read_page(leaderboard_page(leaderboard_of({"a.s1": (2.5, 2.1), "b.s1": (2.2, 2.3)}, parameters=1_234_567)))
    assert page.tags.count("tr") == 3
    assert page.tags.count("th") == page.tags.count("dt") == page.tags.count("dd")
    assert page.text.index("b.s1") < page.text.index("a.s1 ★ champion")
    for text in ("2.500", "2.480 to 2.520", "1,234,567", "1.7 min", "12,000"):
        assert text in page.text


def test_the_share_of_the_chapters_is_told_where_a_run_has_not_all_of_them(
    leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    scores = {"a.s1": (2.5, 2.1)}
    assert "training chapters" not in read_page(leaderboard_page(leaderboard_of(scores))).text
    page = read_page(leaderboard_page(leaderboard_of(scores, train_share=0.03125)))
    assert "0.0312" in page.text
    assert "How much of the training chapters it was given" in page.text


def test_the_means_over_seeds_stand_before_the_runs(
    leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    page = read_page(leaderboard_page(leaderboard_of({"a.s1": (2.5, 2.3), "a.s2": (2.3, 2.1), "<b>.s1": (2.45, 2.2)})))
    assert page.nests
    assert page.tags.count("table") == 2
    assert page.text.index("Over all seeds") < page.text.index("a ★ champion") < page.text.index("a.s2 ★ champion")
    for text in ("2.400", "0.1414", "1.129", "3.671", "<b>.s1"):
        assert text in page.text
    assert read_page(leaderboard_page(leaderboard_of({"a.s1": (2.5, 2.3)}))).tags.count("table") == 1


def test_names_are_escaped(leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]) -> None:
    table = leaderboard_of({"a.s1": (2.5, 2.1)}).assign(corpus="<script>alert(1)</script> & co", device='"><b>')
    page = read_page(leaderboard_page(table))
    assert page.nests
    assert "script" not in page.tags
    assert "<script>alert(1)</script> & co" in page.text
    assert '"><b>' in page.text


@pytest.mark.parametrize("column", ["ci_low", "test_perplexity", "test_perplexity_per_word"])
def test_what_is_missing_is_a_dash(
    column: str, leaderboard_of: Callable[..., pd.DataFrame], read_page: Callable[[str], Any]
) -> None:
    table = leaderboard_of({"a.s1": (2.5, 2.1)})
    table[column] = float("nan")
    page = read_page(leaderboard_page(table))
    assert "nan" not in page.text
    assert ("–" in page.text) == (column != "ci_low")


def test_the_marks_lie_on_a_common_scale(leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    html = leaderboard_page(leaderboard_of({"a.s1": (2.02, 2.1), "b.s1": (2.98, 2.3)}))
    assert "--low:2.0%;--wide:3.8%;--at:3.9%" in html
    assert "--low:94.2%;--wide:3.8%;--at:96.1%" in html


def test_the_figure_without_spelling_stands_beside_the_one_that_pays_for_it_where_they_differ(
    leaderboard_of: Callable[..., pd.DataFrame],
) -> None:
    table = leaderboard_of({"words.s1": (2.5, 2.1), "bytes.s1": (2.4, 2.0)})
    assert "without spelling</span>" not in leaderboard_page(table)
    table.loc[table["run"] == "words.s1", "test_bits_per_character_without_spelling"] = 2.125
    assert leaderboard_page(table).count("2.125 without spelling</span>") == 1
