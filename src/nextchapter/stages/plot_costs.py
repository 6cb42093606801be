"""Set what each run cost to train against how well it foresees."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv


def plot_costs(job: Job) -> None:
    """Write the table, and the figure as SVG and PNG."""
    from nextchapter.report.costs import costs_table, draw_costs
    from nextchapter.report.figures import save_figure
    from nextchapter.report.leaderboard import read_leaderboard

    costs = costs_table(
        [read_json(path) for path in job.paths("provenance")], read_leaderboard(job.path("leaderboard"))
    )
    write_csv(job.path("csv"), costs)
    save_figure(lambda: draw_costs(costs), job.path("svg"), job.path("png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_costs, inputs=("leaderboard", "provenance*"), outputs=("svg", "png", "csv"), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
