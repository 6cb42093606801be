"""Publish an embedding to MLflow: parameters, intrinsic scores, map and vectors."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextchapter.stages.command import LOGGER, Job, execute

if TYPE_CHECKING:
    from nextchapter.tracking.store import Experiment

INPUTS = ("embedding", "scores", "vectors", "texts*", "figures*")


def track_embedding(job: Job) -> None:
    """Bring the embedding's entry in MLflow to what its files say; write the ids to `record`."""
    from nextchapter.tracking.embeddings import publish_embedding
    from nextchapter.tracking.records import keep_record

    def publish(experiment: "Experiment") -> dict[str, str]:
        run_id, run_key = publish_embedding(experiment, job.spec["run"], job.files)
        LOGGER.info("published %s", job.spec["run"])
        return {"run_id": run_id, "run_key": run_key}

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(track_embedding, inputs=INPUTS, outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
