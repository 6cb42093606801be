"""Publish a study to MLflow: leaderboard, champion, next chapter and figures, on the parent of its runs."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextchapter.stages.command import LOGGER, Job, execute

if TYPE_CHECKING:
    from nextchapter.tracking.store import Experiment

INPUTS = ("leaderboard", "comparisons", "chapter", "quality", "split", "figures*", "records*")


def track_study(job: Job) -> None:
    """Bring the study's entry in MLflow to what its files say; write the ids to `record`.

    `records`, those of the runs, only order the rules.
    """
    from nextchapter.tracking.records import keep_record
    from nextchapter.tracking.studies import publish_study, read_leaderboard

    rows = read_leaderboard(job.path("leaderboard"))
    files = {
        "": [job.path("leaderboard"), job.path("comparisons"), job.path("chapter")],
        "corpus": [job.path("quality"), job.path("split")],
        "figures": job.paths("figures"),
    }

    def publish(experiment: "Experiment") -> dict[str, str]:
        publish_study(experiment, rows, files)
        LOGGER.info("published the study with %d runs", len(rows))
        return {"parent_run_id": experiment.parent_run_id}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(track_study, inputs=INPUTS, outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
