import math
from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from nextchapter.report.exposure import draw_exposure


def test_each_run_has_a_line_of_means_below_the_ceiling(
    in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    rows = [
        (run, kind, copies, bits + shift, 1023)
        for run, kind, shift in (("a.s1", "gru", 0.0), ("b.s1", "lstm", 1.0))
        for copies, bits in ((1, 1.0), (1, 3.0), (8, 6.0))
    ]
    exposure = pd.DataFrame(rows, columns=["run", "model", "copies", "exposure_bits", "references"])
    figure = draw_exposure(exposure)
    axes = figure.axes[0]
    assert list(axes.lines[1].get_xdata()) == [1, 8]
    assert list(axes.lines[1].get_ydata()) == [2.0, 6.0]
    assert list(axes.lines[3].get_ydata()) == [3.0, 7.0]
    assert list(axes.lines[4].get_ydata()) == [math.log2(1024)] * 2
    assert [text.get_text() for text in axes.texts] == ["a.s1", "b.s1"]
    assert texts_outside(figure) == []
