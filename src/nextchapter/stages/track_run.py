"""Publish a finished run to MLflow: parameters, curves, scores, dataset, model, chapter and figures."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextchapter.stages.command import LOGGER, Job, execute

if TYPE_CHECKING:
    from nextchapter.tracking.store import Experiment

INPUTS = (
    "provenance",
    "events",
    "metrics",
    "model",
    "chapter",
    "chapter_facts",
    "predictions",
    "examination",
    "blocks",
    "profile",
    "tokens",
    "tokenizer_model",
    "figures*",
)


def track_run(job: Job) -> None:
    """Bring the run's entry in MLflow to what its files say; write the ids to `record`."""
    from nextchapter.tracking.records import keep_record
    from nextchapter.tracking.runs import publish_run, read_contents

    contents = read_contents(job.files)

    def publish(experiment: "Experiment") -> dict[str, str]:
        run_id = publish_run(experiment, contents)
        LOGGER.info("published %s with %d points", contents.name, len(contents.points))
        return {"parent_run_id": experiment.parent_run_id, "run_id": run_id, "run_key": contents.run_key}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(track_run, inputs=INPUTS, outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
