"""The exposure of canaries as a figure: how soon each kind of model knows a random sentence by heart."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from nextchapter.report.figures import MUTED, WIDTH_INCHES, configuration_colours, short_name, spread

_NOTE = (
    "Dots: sentences of random words, planted so often in the books; line: their mean.\n"
    "0 to 2 bits: not remembered. With each bit more, half as many unread ones are as likely.\n"
    "Dashes: the most that can be told, likelier than all {references:,} unread sentences."
)


def draw_exposure(exposure: pd.DataFrame) -> Figure:
    """Draw the exposure of each canary against how often it was planted, a line a run.

    Args:
        exposure: rows with the columns of `exposure.csv`.
    """
    figure = Figure(figsize=(WIDTH_INCHES, 5.2), layout="constrained")
    axes = figure.subplots()
    kinds = dict(zip(exposure["run"].astype(str), exposure["model"].astype(str), strict=True))
    colours = configuration_colours(kinds)
    ends = {}
    for run, rows in exposure.groupby("run", sort=True):
        name, means = str(run), rows.groupby("copies")["exposure_bits"].mean()
        axes.plot(rows["copies"], rows["exposure_bits"], "o", color=colours[name], markersize=3.4, alpha=0.4)
        axes.plot(means.index, means, "-o", color=colours[name], linewidth=2, markersize=5)
        ends[name] = float(means.iloc[-1])
    references = int(exposure["references"].max())
    axes.axhline(float(np.log2(references + 1)), color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xscale("log", base=2)
    ticks = sorted(exposure["copies"].unique())
    axes.set_xticks(ticks, [f"{copies:,}" for copies in ticks])
    axes.set_ylim(0, float(np.log2(references + 1)) * 1.06)
    for (name, _), level in zip(ends.items(), spread(list(ends.values()), gap=0.65), strict=True):
        label: dict[str, Any] = {"color": colours[name], "fontsize": 10, "va": "center", "fontweight": "bold"}
        axes.text(1.02, level, short_name(name), transform=axes.get_yaxis_transform(), **label)
    axes.set_xlabel("times that the sentence was planted")
    axes.set_ylabel("exposure (bits)")
    figure.suptitle("What each network knows by heart", x=0.01, ha="left", fontsize=12.5, fontweight="bold")
    figure.supxlabel(_NOTE.format(references=references), fontsize=9, color=MUTED)
    return figure
