"""Lay out what a search has found: a table of its runs, and the values that it tried against the score."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv


def plot_search(job: Job) -> None:
    """Write the table as CSV and the figure as SVG and PNG; name the best by the validation chapters."""
    from nextchapter.report.figures import save_figure
    from nextchapter.report.searches import SCORE, draw_search, search_table

    provenance = [read_json(path) for path in job.paths("provenance")]
    metrics = [read_json(path) for path in job.paths("metrics")]
    grid, random = job.spec["grid"], job.spec["random"]
    table = search_table(provenance, metrics, [*grid, *random])
    write_csv(job.path("csv"), table)
    save_figure(lambda: draw_search(table, grid, random, job.spec["scales"]), job.path("svg"), job.path("png"))
    best = table.iloc[0]
    LOGGER.info("the best of %d runs is %s: %.4f bits a character on validation", len(table), best["run"], best[SCORE])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_search, inputs=("provenance*", "metrics*"), outputs=("csv", "svg", "png"), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
