from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nextchapter.report.hopfield import draw_memory, memory_page

SAMPLE = ['"Oh! <b>Emma</b> & I"', '"Oh! <b>Esss</b> & I"', '"Oh! <b>Emma</b> & !"', '"Oh! <b>Emma</b> & I"']
RECORD = {
    "capacity": {
        "neurons": 500, "flipped_share": 0.1, "loads": [0.05, 0.1, 0.2, 0.3], "far_load": 10.0, "far_overlap": 0.9998,
        "overlap": {
            "stored": [[1.0, 1.0], [0.99, 0.98], [0.5, 0.6], [0.35, 0.37]],
            "flipped": [[1.0, 1.0], [0.98, 0.97], [0.4, 0.5], [0.34, 0.36]],
            "modern": [[1.0, 1.0]] * 4,
        },
    },
    "passages": {
        "neurons": 480, "characters": 20, "corrupted_right": 0.85, "counts": [1, 2, 4, 8, 12],
        "likeness": {"bits": 0.781, "characters": 0.07, "pairs": 0.012},
        "right": {
            "bits": [1.0, 0.98, 0.4, 0.2, 0.1], "characters": [1.0, 1.0, 1.0, 0.5, 0.2],
            "pairs": [1.0, 1.0, 1.0, 0.9999, 0.123], "modern": [1.0, 1.0, 1.0, 1.0, 1.0],
        },
        "samples": [{"stored": 8, "passages": [SAMPLE]}, {"stored": 12, "passages": [SAMPLE, SAMPLE]}],
    },
}  # fmt: skip


@pytest.fixture
def record() -> dict[str, Any]:
    return deepcopy(RECORD)


def test_the_figure_shows_what_was_measured_and_what_theory_says(record: dict[str, Any]) -> None:
    above, below = draw_memory(record).axes
    curves = {tuple(np.round(line.get_ydata(), 3)) for line in above.lines}
    assert {(1, 0.985, 0.55, 0.36), (1, 0.975, 0.45, 0.35), (1, 1, 1, 1)} < curves
    (theory,) = (line for line in above.lines if line.get_linestyle() == "--")
    assert theory.get_xdata()[-1] == pytest.approx(0.138, abs=1e-3)
    assert {tuple(line.get_ydata()) for line in below.lines} > {
        tuple(values) for values in record["passages"]["right"].values()
    }
    assert below.get_xlabel() == "passages stored, of 20 characters, in 480 neurons"
    told = " ".join(text.get_text() for axes in (above, below) for text in axes.texts)
    for words in ("at load 10 still 1.00", "1982, 10 % flipped", "2020, 10 % flipped", "1982, pairs", "2020, pairs"):
        assert words in told


@pytest.mark.usefixtures("in_style")
@pytest.mark.parametrize("count", [2, 12, 1000])
def test_no_text_is_cut_off_and_no_name_covers_another(
    count: int, record: dict[str, Any], texts_outside: Callable[[Figure], list[str]]
) -> None:
    record["passages"]["counts"] = [1, 2, *np.linspace(count, count + 2, 3).astype(int).tolist()]
    figure = draw_memory(record)
    assert texts_outside(figure) == []
    for axes in figure.axes:
        names = [text.get_window_extent() for text in axes.texts if text.get_text()[:4] in ("1982", "2020")]
        assert not [one for place, one in enumerate(names) for other in names[:place] if one.overlaps(other)]


def test_the_page_tells_what_each_network_gets_right(record: dict[str, Any], read_page: Callable[[str], Any]) -> None:
    html = memory_page(record)
    page = read_page(html)
    text = " ".join(page.text.split())
    assert page.nests
    assert not {"script", "link", "img", "b>"} & set(page.tags)
    assert '"Oh! <b>Emma</b> & I"' in text
    assert (
        "8 passages stored, as pairs Of all characters the network of 1982 gets 99.9 % right, that of 2020 100 %."
        in text
    )
    assert "12 passages stored, as pairs Of all characters the network of 1982 gets 12.3 % right" in text
    assert "0.781 2" in text.replace("0.7812", "0.781 2")  # raw bits: two passages
    assert "0.0128" in text  # pairs: 0.012, and eight of them
    assert html.count("<mark>sss</mark>") == html.count("<mark>!</mark>") == 3
    assert html == memory_page(record)


def test_a_shelf_without_passages_has_its_random_patterns(
    record: dict[str, Any], read_page: Callable[[str], Any]
) -> None:
    record["passages"] = None
    assert "The shelf is too short for passages" in read_page(memory_page(record)).text
    assert "too short" in " ".join(text.get_text() for text in draw_memory(record).axes[1].texts)
