"""Register the champion of a study in MLflow's model registry, so that `mlflow models serve` can answer by it."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nextchapter.stages.command import LOGGER, Job, execute

if TYPE_CHECKING:
    from nextchapter.tracking.store import Experiment

OF_EACH_RUN = ("models", "tokenizers", "provenance", "metrics", "examinations")
INPUTS = ("champion", "account", *(f"{name}*" for name in OF_EACH_RUN), "records*")


def register_champion(job: Job) -> None:
    """Let the alias `champion` point at the run that `champion` names; write its name and version to `record`.

    The files of each run stand in the order of `spec.runs`. `records`, those of the runs, only order the rules.
    """
    from nextchapter.report.model_card import render_card
    from nextchapter.store.files import read_json
    from nextchapter.tracking.records import keep_record
    from nextchapter.tracking.registry import register_champion as register

    place = job.spec["runs"].index(read_json(job.path("champion"))["run"])
    model, tokenizer, *about = (job.paths(name)[place] for name in OF_EACH_RUN)
    run, metrics, examination = map(read_json, about)
    card = render_card(run, metrics, examination, read_json(job.path("account")), job.spec["licence"])
    files = {"model": model, "tokenizer": tokenizer, "run": about[0]}

    def publish(experiment: "Experiment") -> dict[str, str]:
        registered = register(experiment, job.spec["study"], files, run["run_key"], card)
        LOGGER.info("%s is version %s of %s", run["run"], registered.version, registered.name)
        return dict(registered._asdict())

    keep_record(job.path("record"), job.spec, publish)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(register_champion, inputs=INPUTS, outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
