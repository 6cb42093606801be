"""Draw whether the runs' chances hold, and where in a text they lose."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json
from nextchapter.store.tables import write_csv


def plot_judgement(job: Job) -> None:
    """Write both figures as SVG and PNG, and what the second draws as CSV."""
    from nextchapter.report.figures import save_figure
    from nextchapter.report.judgement import draw_calibration, draw_losses, tabulate_losses
    from nextchapter.report.leaderboard import read_leaderboard

    leaderboard = read_leaderboard(job.path("leaderboard"))
    profiles = {profile["run"]: profile for profile in map(read_json, job.paths("profiles"))}
    losses = tabulate_losses(profiles)
    write_csv(job.path("losses_csv"), losses)
    save_figure(
        lambda: draw_calibration(profiles, leaderboard), job.path("calibration_svg"), job.path("calibration_png")
    )
    save_figure(lambda: draw_losses(losses, leaderboard), job.path("losses_svg"), job.path("losses_png"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    outputs = ("calibration_svg", "calibration_png", "losses_svg", "losses_png", "losses_csv")
    return execute(plot_judgement, inputs=("leaderboard", "profiles*"), outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
