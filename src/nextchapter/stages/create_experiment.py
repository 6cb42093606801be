"""Create the store of the runs, and the study's experiment in it, before any run writes to it."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute


def create_experiment(job: Job) -> None:
    """Make sure that store, experiment and parent run exist; write their ids to `record`."""
    from nextchapter.tracking.records import keep_record
    from nextchapter.tracking.store import ensure_experiment, store_errors

    def publish(uri: str) -> dict[str, str]:
        with store_errors(uri):
            found = ensure_experiment(job.spec["study"], uri)
        LOGGER.info("experiment %s", found.experiment_id)
        return {"experiment_id": found.experiment_id, "parent_run_id": found.parent_run_id}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(create_experiment, inputs=[], outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
