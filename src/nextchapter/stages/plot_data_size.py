"""Draw how well networks foresee, and what they cost, by how much text they were trained on."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv


def plot_data_size(job: Job) -> None:
    """Write the figure as SVG and PNG, and the runs in it as CSV."""
    from nextchapter.report.data_size import data_size_table, draw_data_size
    from nextchapter.report.figures import save_figure

    provenance = [read_json(path) for path in job.paths("provenance")]
    metrics = [read_json(path) for path in job.paths("metrics")]
    table = data_size_table(provenance, metrics)
    write_csv(job.path("csv"), table)
    save_figure(lambda: draw_data_size(table), job.path("svg"), job.path("png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_data_size, inputs=("provenance*", "metrics*"), outputs=("csv", "svg", "png"), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
