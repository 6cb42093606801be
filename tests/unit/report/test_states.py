from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from nextchapter.report.figures import save_figure
from nextchapter.report.states import draw_posteriors, draw_states

TEXTS = ["The", " cat", " $sat_", ".", "\n\n", " Кошка", " 红楼", "梦", "<0xC3>", " "] * 12
PATH = [place % 13 for place in range(len(TEXTS))]
pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # the machine may lack a font
NAMES = {state: f"name {state} " + "x" * state * 9 for state in range(16)}
TRANSITION = np.random.default_rng(0).dirichlet(np.ones(16), size=16)


def test_every_word_stands_in_a_line_in_its_order_and_nothing_is_cut_off(
    in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    figure = draw_states(TEXTS, PATH, NAMES, TRANSITION, list(range(16)))
    assert texts_outside(figure) == []
    words = [text for text in figure.axes[0].texts if text.get_fontsize() == 10]
    assert [word.get_text() for word in words[:10]] == [
        "The", "cat", "$sat_", ".", "↵", "Кошка", "红楼", "梦", "byte C3", "␣"
    ]  # fmt: skip
    places = [(-word.get_position()[1], word.get_position()[0]) for word in words]
    assert places == sorted(places)
    assert words[5].get_position()[1] < words[4].get_position()[1]  # a new line behind a line break


def test_words_of_one_state_share_a_colour_and_rare_states_the_grey(in_style: None) -> None:
    figure = draw_states(TEXTS, PATH, NAMES, TRANSITION, list(range(16)))
    words = [text for text in figure.axes[0].texts if text.get_fontsize() == 10]
    colours: dict[int, set[object]] = {}
    for word, state in zip(words, PATH, strict=True):
        box = word.get_bbox_patch()
        assert box is not None
        colours.setdefault(state, set()).add(box.get_facecolor())
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 11  # ten and the grey


def test_the_figures_bytes_depend_on_what_is_drawn_alone(tmp_path: Path) -> None:
    posterior = np.eye(16)[PATH]
    for name in ("one", "two"):
        files = tmp_path / f"{name}.svg", tmp_path / f"{name}.png"
        save_figure(lambda: draw_states(TEXTS, PATH, NAMES, TRANSITION, list(range(16))), *files)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    axes = draw_posteriors(posterior, np.array(PATH), TEXTS, {0: "a", 1: "b"}).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()][:3] == ["0: a", "1: b", "2"]
    assert [label.get_text() for label in axes.get_xticklabels()][:3] == ["The", "cat", "$sat_"]
