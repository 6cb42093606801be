"""Draw the learning curves of all runs."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.events import read_events
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv


def plot_curves(job: Job) -> None:
    """Write the curves as SVG and PNG, and what is drawn as CSV."""
    import pandas as pd

    from nextchapter.report.curves import draw_curves, learning_curve
    from nextchapter.report.figures import save_figure

    parts = []
    for events, provenance in zip(job.paths("events"), job.paths("provenance"), strict=True):
        run = read_json(provenance)
        if run.get("members"):  # made of other runs, by which it learned: it has no curve of its own
            continue
        parts.append(learning_curve(list(read_events(events)), run["run"], run["model"]["kind"], run["seed"]))
    curves = pd.concat(parts, ignore_index=True)
    save_figure(lambda: draw_curves(curves), job.path("svg"), job.path("png"))
    write_csv(job.path("csv"), curves)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_curves, inputs=("events*", "provenance*"), outputs=("svg", "png", "csv"), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
