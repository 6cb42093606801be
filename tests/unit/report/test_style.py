from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.style import CURVES_MAX, ROWS_MAX, draw_style, draw_type_token


def curve(words: int, share: float) -> pd.DataFrame:
    rows = [(n, n * share, n * 0.5, n * 0.6, n * 0.7) for n in range(10, words + 1, 10)]
    return pd.DataFrame(rows, columns=["words", "chapter", "low", "median", "high"], dtype=float)


def test_the_nearest_chapter_stands_on_top_over_the_range_of_real_ones(
    examination_of: Callable[..., dict[str, Any]], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    far, near = examination_of("far.s1"), examination_of("near.s1")
    far["measures"]["delta_to_author"]["chapter"] = 0.95
    figure = draw_style([far, near], {"far.s1": "gru", "near.s1": "lstm"})
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["near.s1", "far.s1"]
    band, _, other, dot = axes.lines[:4]
    assert list(band.get_xdata()) == [0.1, 0.9]
    assert (list(other.get_xdata()), list(dot.get_xdata())) == ([0.8], [0.66])
    assert "Jane Austen" in figure.get_suptitle()
    assert texts_outside(figure) == []


def test_signs_of_mathematics_in_a_name_are_letters(
    examination_of: Callable[..., dict[str, Any]], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_style([{**examination_of("a.s1"), "author": "A$AP ^ $am"}], {"a.s1": "lstm"})
    assert texts_outside(figure) == []
    assert "A$AP ^ $am" in figure.get_suptitle()


def test_only_so_many_are_drawn(
    examination_of: Callable[..., dict[str, Any]], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    names = [f"run-{number}.s1" for number in range(ROWS_MAX + 2)]
    kinds = dict.fromkeys(names, "lstm")
    figure = draw_style([examination_of(name) for name in names], kinds)
    assert len(figure.axes[0].get_yticklabels()) == ROWS_MAX
    assert f"The nearest {ROWS_MAX} of {ROWS_MAX + 2}." in figure.get_supxlabel()
    growth = draw_type_token({name: curve(50, 0.6) for name in names}, kinds)
    assert len(growth.axes[0].texts) == CURVES_MAX
    assert texts_outside(growth) == []


@pytest.mark.parametrize("words", [900, 10, 0])
def test_the_growth_of_the_vocabulary_is_drawn_over_the_real_band(
    words: int, in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_type_token(
        {"a.s1": curve(words, 0.4), "b.s1": curve(words // 2, 0.8)}, {"a.s1": "gru", "b.s1": "lstm"}
    )
    axes = figure.axes[0]
    assert list(axes.lines[1].get_ydata()) == [n * 0.4 for n in range(10, words + 1, 10)]
    assert {text.get_text() for text in axes.texts} <= {"a.s1", "b.s1"}
    assert texts_outside(figure) == []
