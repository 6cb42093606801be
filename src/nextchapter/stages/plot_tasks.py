"""Lay what all networks made of the memory tasks into a table, a figure and a page."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import read_json, write_text
from nextchapter.store.tables import write_csv


def plot_tasks(job: Job) -> None:
    """Write the table, the figure and the page of the records, whose order is that of the configuration."""
    from nextchapter.report.figures import save_figure
    from nextchapter.report.tasks import draw_tasks, reach_table, tasks_page

    records = [read_json(path) for path in job.paths("records")]
    write_csv(job.path("csv"), reach_table(records), float_format="%.6g")
    save_figure(lambda: draw_tasks(records), job.path("svg"), job.path("png"))
    write_text(job.path("html"), tasks_page(records))
    LOGGER.info("laid out what became of networks in memory tasks, %d times", len(records))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_tasks, inputs=["records*"], outputs=["csv", "svg", "png", "html"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
