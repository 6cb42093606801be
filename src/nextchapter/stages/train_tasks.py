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
    trials = []
    for trial in climb(task, spec["lengths"], spec["learning_rates"], recipe):
        outcome = "passed" if trial.passed else "diverged" if trial.diverged else "failed"
        error = "" if trial.error is None else f", {task.error} {trial.error:.4f}"
        LOGGER.info(
            "length %d, rate %g: %s after %d steps%s", trial.length, trial.learning_rate, outcome, trial.steps, error
        )
        own = {"limit": task.limit(trial.length), "chance": task.chance(trial.length)}
        trials.append({**asdict(trial), **own})
    write_json(
        job.path("record"), {"task": spec["task"], "network": spec["network"], "error": task.error, "trials": trials}
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line."""
    return execute(train_tasks, inputs=[], outputs=["record"], argv=argv)


if __name__ == "__main__":
    sys.exit(main())
