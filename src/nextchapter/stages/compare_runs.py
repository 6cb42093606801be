"""Put all runs into one leaderboard, test each pair of them, and choose the champion."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import Job, execute
from nextchapter.store.files import read_json, write_json
from nextchapter.store.tables import write_csv


def compare_runs(job: Job) -> None:
    """Write all pairs as `comparisons`, the leaderboard, means over seeds as `configurations`, and the champion."""
    from nextchapter.evaluation.comparison import compare_pairs
    from nextchapter.evaluation.intervals import read_blocks
    from nextchapter.report.configurations import compare_configurations
    from nextchapter.report.examination import add_copying
    from nextchapter.report.leaderboard import champion_of, compare, share_ranks

    provenance = [read_json(path) for path in job.paths("provenance")]
    metrics = [read_json(path) for path in job.paths("metrics")]
    examinations = [read_json(path) for path in job.paths("examinations")]
    leaderboard = compare(provenance, metrics, job.spec["corpus"])
    files = dict(zip((record["run"] for record in metrics), job.paths("blocks"), strict=True))
    runs = list(leaderboard["run"])
    comparisons = compare_pairs(runs, [read_blocks(files[run]) for run in runs])
    write_csv(job.path("comparisons"), comparisons)
    leaderboard = add_copying(share_ranks(leaderboard, comparisons), examinations)
    write_csv(job.path("leaderboard"), leaderboard)
    write_csv(job.path("configurations"), compare_configurations(leaderboard))
    write_json(job.path("champion"), champion_of(leaderboard))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    outputs = ("leaderboard", "configurations", "champion", "comparisons")
    inputs = ("provenance*", "metrics*", "blocks*", "examinations*")
    return execute(compare_runs, inputs=inputs, outputs=outputs, argv=argv)


if __name__ == "__main__":
    sys.exit(main())
