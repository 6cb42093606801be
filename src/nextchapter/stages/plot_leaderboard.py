"""Draw the leaderboard, and set it as a table with its columns explained."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import write_text


def plot_leaderboard(job: Job) -> None:
    """Write the figure as SVG and PNG, and the table as HTML."""
    from nextchapter.report.figures import save_figure
    from nextchapter.report.leaderboard import read_leaderboard
    from nextchapter.report.ranking import draw_leaderboard
    from nextchapter.report.table import leaderboard_page

    leaderboard = read_leaderboard(job.path("leaderboard"))
    save_figure(lambda: draw_leaderboard(leaderboard), job.path("svg"), job.path("png"))
    write_text(job.path("html"), leaderboard_page(leaderboard))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(plot_leaderboard, inputs=("leaderboard",), outputs=("svg", "png", "html"), argv=argv)


if __name__ == "__main__":
    sys.exit(main())
