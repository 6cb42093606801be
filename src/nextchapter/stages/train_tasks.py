"""Train a network on a synthetic memory task at rising lengths, until it fails."""

import sys
from collections.abc import Sequence

from nextchapter.stages.command import LOGGER, Job, execute
from nextchapter.store.files import write_json


def train_tasks(job: Job) -> None:
    """Write what became of each length and learning rate that was tried to `record`."""
    from dataclasses import asdict

    from nextchapter.diagnostics.tasks.task import load_task
    from nextchapter.diagnostics.tasks.trials import Recipe, climb
    from nextchapter.spec.training import TrainingSpec
    from nextchapter.training.devices import prepare_torch

    prepare_torch(job.threads)
    spec = job.spec
    task = load_task(spec["task"])
    recipe = Recipe(
        model=spec["model"],
        training=TrainingSpec(**spec["training"], weight_decay=0),
        steps=spec["steps"],
        batch_size=spec["batch_size"],
        seed=spec["seed"],
        chrono=spec["chrono"],
    )
    about = {"task": spec["task"], "network": spec["network"], "error": task.error}
    trials = []
    for trial in climb(task, spec["lengths"], spec["learning_rates"], recipe):
        outcome = "learned" if trial.passed else "diverged" if trial.diverged else "not learned"
        told = (spec["task"], spec["network"], trial.length, trial.learning_rate, outcome, trial.steps)
        LOGGER.info("%s, %s, length %d, learning rate %g: %s, %d steps", *told)
        trials.append(asdict(trial) | {"limit": task.limit(trial.length), "chance": task.chance(trial.length)})
    write_json(job.path("record"), about | {"trials": trials})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(train_tasks, inputs=[], outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
