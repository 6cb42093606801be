from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from nextchapter.diagnostics.neurons import Units, principal_plane
from nextchapter.report.neurons import MOST_TOKENS, draw_neurons, draw_path

WORDS = ["It", " was", " $x_1$", ",", "\n", " тёмный", " é", "<end-of-chapter>"] * 12
STATES = np.random.default_rng(0).normal(size=(300, 6))


def test_a_row_is_a_unit_in_shares_of_its_largest_value() -> None:
    figure = draw_neurons(STATES, Units([4, 2], [1]), WORDS)
    above, below = (axes.images[0].get_array() for axes in figure.axes[:2])
    expected = STATES[:MOST_TOKENS, 4] / np.abs(STATES[:MOST_TOKENS, 4]).max()
    assert np.allclose(above[0], expected)
    assert (above.shape, below.shape) == ((2, MOST_TOKENS), (1, MOST_TOKENS))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["unit 4", "unit 2"]


@pytest.mark.usefixtures("in_style")
@pytest.mark.parametrize("units", [Units([0, 1, 2], [3, 4, 5]), Units([0], []), Units([], [])], ids=str)
def test_no_text_of_the_units_is_cut_off(units: Units, texts_outside: Callable[[Figure], list[str]]) -> None:
    assert texts_outside(draw_neurons(STATES, units, WORDS)) == []


@pytest.mark.usefixtures("in_style")
@pytest.mark.parametrize("length", [1, 2, 24])
def test_the_path_lies_inside_and_goes_from_word_to_word(
    length: int, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_path(principal_plane(STATES), STATES, length, WORDS)
    (axes,) = figure.axes
    assert texts_outside(figure) == []
    dots = np.asarray(axes.collections[0].get_offsets())
    assert len(dots) == length
    assert ((dots > 0) & (dots < [axes.get_xlim()[1], axes.get_ylim()[1]])).all()
    arrows = [text for text in axes.texts if not text.get_text()]
    assert len(arrows) == length - 1


def test_states_that_never_change_have_a_path_too() -> None:
    draw_path(principal_plane(np.ones((4, 3))), np.ones((4, 3)), 4, WORDS).draw_without_rendering()
