"""Gather the exposure of all runs' canaries, and draw it against how often each was planted."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.tables import write_csv


def plot_exposure(job: Job) -> None:
    """Write the table of all runs as CSV, and the figure as SVG and PNG."""
    import pandas as pd

    from nextchapter.report.exposure import draw_exposure
    from nextchapter.report.figures import save_figure

    exposure = pd.concat([pd.read_csv(path) for path in job.paths("exposures")], ignore_index=True)
    write_csv(job.path("csv"), exposure)
    save_figure(lambda: draw_exposure(exposure), job.path("svg"), job.path("png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_exposure, inputs=["exposures*"], outputs=["csv", "svg", "png"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
