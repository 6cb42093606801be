"""Publish a study to MLflow: leaderboard, champion, next chapter and figures, on the parent of its runs."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute

INPUTS = ("leaderboard", "comparisons", "chapter", "quality", "split", "figures*", "records*")


def track_study(job: Job) -> None:
    """Bring the study's entry in MLflow to what its files say; write the ids to `record`.

    `records`, those of the runs, only order the rules.
    """
    from nextchapter.tracking.records import keep_record
    from nextchapter.tracking.store import ensure_experiment, store_errors
    from nextchapter.tracking.studies import publish_study, read_leaderboard

    rows = read_leaderboard(job.path("leaderboard"))
    files = {
        "": [job.path("leaderboard"), job.path("comparisons"), job.path("chapter")],
        "corpus": [job.path("quality"), job.path("split")],
        "figures": job.paths("figures"),
    }

    def publish(uri: str) -> dict[str, str]:
        with store_errors(uri):
            found = ensure_experiment(job.spec["study"], uri)
            publish_study(found, rows, files)
        LOGGER.info("published the study with %d runs", len(rows))
        return {"experiment_id": found.experiment_id, "parent_run_id": found.parent_run_id}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(track_study, inputs=INPUTS, outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
