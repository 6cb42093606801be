"""Create the store of the runs, and the study's experiment in it, before any run writes to it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextchapter.stages.command import LOGGER, Job, execute

if TYPE_CHECKING:
    from nextchapter.tracking.store import Experiment


def create_experiment(job: Job) -> None:
    """Make sure that store, experiment and parent run exist; write their ids to `record`."""
    from nextchapter.tracking.records import keep_record

    def publish(experiment: "Experiment") -> dict[str, str]:
        LOGGER.info("experiment %s", experiment.experiment_id)
        return {"parent_run_id": experiment.parent_run_id}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(create_experiment, inputs=[], outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
