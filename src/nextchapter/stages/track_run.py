"""Publish a finished run to MLflow: parameters, curves, scores, dataset, model, chapter and figures."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute

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
    """Bring the run's entry in MLflow to what its files say; write the ids to `record`.

    Store and experiment are made where they are missing.
    """
    from nextchapter.tracking.records import keep_record
    from nextchapter.tracking.runs import publish_run, read_contents
    from nextchapter.tracking.store import ensure_experiment, store_errors

    contents = read_contents(job.files)

    def publish(uri: str) -> dict[str, str]:
        with store_errors(uri):
            found = ensure_experiment(job.spec["study"], uri)
            run_id = publish_run(found, contents)
        LOGGER.info("published %s with %d points", contents.name, len(contents.points))
        ids = {"experiment_id": found.experiment_id, "parent_run_id": found.parent_run_id}
        return {**ids, "run_id": run_id, "run_key": contents.run_key}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(track_run, inputs=INPUTS, outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
