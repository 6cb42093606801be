"""Put all runs into one leaderboard and choose the champion."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json, write_json


def compare_runs(job: Job) -> None:
    """Write the leaderboard, the means over seeds as `configurations`, and the champion."""
    from nextchapter.report.configurations import compare_configurations, write_configurations
    from nextchapter.report.examination import add_copying
    from nextchapter.report.leaderboard import champion_of, compare, write_leaderboard

    provenance = [read_json(path) for path in job.paths("provenance")]
    metrics = [read_json(path) for path in job.paths("metrics")]
    examinations = [read_json(path) for path in job.paths("examinations")]
    leaderboard = add_copying(compare(provenance, metrics, job.spec["corpus"]), examinations)
    write_leaderboard(job.path("leaderboard"), leaderboard)
    write_configurations(job.path("configurations"), compare_configurations(leaderboard))
    write_json(job.path("champion"), champion_of(leaderboard))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    outputs = ("leaderboard", "configurations", "champion")
    return execute(compare_runs, inputs=("provenance*", "metrics*", "examinations*"), outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
