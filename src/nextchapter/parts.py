"""The parts of a study that not every study has: which of its runs they are about, and their files."""

from typing import Any

from nextchapter.spec.base import canonical_json
from nextchapter.spec.corpus import WheelSource
from nextchapter.spec.gradient_lab import GradientsSpec
from nextchapter.spec.models import RecurrentSpec
from nextchapter.spec.study import Study
from nextchapter.spec.tasks import TasksSpec


class Parts:
    """What a study has beyond runs and scores; an empty list of files where a part is switched off."""

    def __init__(self, study: Study) -> None:
        """Look at the study; nothing is read from the disk."""
        self._study, self.name, self.runs = study, study.name, study.run_names

    @property
    def runs_with_states(self) -> list[str]:
        """The runs whose model is in one of some hidden states at each token, few enough to be described."""
        return [name for name, (run, _) in self.runs.items() if run.model.described_states]

    @property
    def recurrent_runs(self) -> list[str]:
        """The runs that the gradient lab looks into: a recurrent network each, and none that is made of others."""
        return [name for name, (run, _) in self.runs.items() if isinstance(run.model, RecurrentSpec)]

    @property
    def recurrent_tokenizers(self) -> list[str]:
        """The tokenizers of these runs, each once; without such a run, the study's first."""
        used = [self.runs[name][0].tokenizer for name in self.recurrent_runs]
        return list(dict.fromkeys(used)) or list(self._study.tokenizers)[:1]

    @property
    def gradients(self) -> GradientsSpec | None:
        """How the gradient lab looks into networks; None where it is switched off."""
        lab = self._study.gradient_lab
        return None if lab is None else lab.gradients

    @property
    def gradient_figures(self) -> list[str]:
        """The figures of the gradient lab; none where it is switched off."""
        folder, names = f"results/{self.name}/diagnostics/gradients", ("gradients", "jacobian", "gates", "clipping")
        return [f"{folder}/{name}.png" for name in names] if self.gradients is not None else []

    @property
    def neuron_figures(self) -> list[str]:
        """The figures of the units of each recurrent run; none where the lab is switched off."""
        runs = self.recurrent_runs if self.gradients is not None else []
        return [f"results/{self.name}/runs/{run}/neurons.svg" for run in runs]

    @property
    def other_authors(self) -> list[str]:
        """Samples of the other authors in the package that the books come from; none where they come otherwise."""
        from_package = isinstance(self._study.corpus.source, WheelSource)
        return [f"results/{self.name}/corpus/other-authors.parquet"] if from_package else []

    @property
    def exposures(self) -> list[str]:
        """The table and the figure of what the models keep by heart; none where no canary is planted."""
        folder = f"results/{self.name}"
        is_planted = self._study.corpus.canaries is not None
        return [f"{folder}/exposure.csv", f"{folder}/figures/exposure.svg"] if is_planted else []

    @property
    def data_size_pages(self) -> list[str]:
        """The figure of what runs make of more data; none where no network is trained on several shares of it."""
        shares: dict[str, set[float]] = {}
        for run in self._study.runs.values():
            network = canonical_json(run.model_dump(mode="json", exclude={"train_share", "seeds"}))
            shares.setdefault(network, set()).add(run.train_share)
        is_drawn = any(len(found) > 1 for found in shares.values())
        return [f"results/{self.name}/figures/data-size.png"] if is_drawn else []

    @property
    def memory_pages(self) -> list[str]:
        """The figure and the page of the associative memory; none where it is switched off."""
        folder = f"results/{self.name}/diagnostics/hopfield"
        return [] if self._study.hopfield is None else [f"{folder}/hopfield.png", f"{folder}/hopfield.html"]

    @property
    def tasks(self) -> TasksSpec:
        """The memory tasks; those of the default where they are switched off: one may still ask for their files."""
        lab = self._study.gradient_lab
        return TasksSpec() if lab is None or lab.tasks is None else lab.tasks

    @property
    def task_records(self) -> list[str]:
        """What becomes of each network in each memory task."""
        folder = f"results/{self.name}/diagnostics/tasks"
        return [f"{folder}/{task}/{network}.json" for task in self.tasks.ladders for network in self.tasks.networks]

    @property
    def task_pages(self) -> list[str]:
        """The figure and the page of the memory tasks; none where they are switched off."""
        lab, folder = self._study.gradient_lab, f"results/{self.name}/diagnostics/tasks"
        return [] if lab is None or lab.tasks is None else [f"{folder}/tasks.png", f"{folder}/tasks.html"]

    @property
    def report_files(self) -> list[str]:
        """What the report shows of the parts that not every study has."""
        folder, parts = f"results/{self.name}", self.shown_in_report()
        lab, memory = f"{folder}/diagnostics/gradients", f"{folder}/diagnostics/hopfield/hopfield.svg"
        gradients = [f"{lab}/{name}" for name in ("gradients.json", "gradients.svg", "jacobian.svg", "gates.svg",
                                                   "clipping.svg")]  # fmt: skip
        units = [f"{folder}/runs/{run}/{name}.svg" for run in self.recurrent_runs for name in ("neurons", "state-path")]
        states = [f"{folder}/runs/{run}/{name}.svg" for run in parts["states"] for name in ("states", "posteriors")]
        tasks = [f"{folder}/diagnostics/tasks/{name}.json" for name in parts["tasks"]]
        vectors = [f"{folder}/embeddings/{name}/{file}" for name in parts["embeddings"]
                   for file in ("map.svg", "scores.json", "neighbours.csv")]  # fmt: skip
        searches = [f"{folder}/searches/{name}.{kind}" for name in parts["searches"] for kind in ("svg", "csv")]
        return [
            *((gradients + units) if parts["gradients"] else []),
            *([*tasks, f"{folder}/diagnostics/tasks/tasks.svg"] if tasks else []),
            *([memory] if parts["memory"] else []),
            *([f"{folder}/figures/exposure.svg"] if parts["exposure"] else []),
            *([f"{folder}/figures/data-size.svg"] if parts["data_size"] else []),
            *states,
            *vectors,
            *searches,
        ]

    def shown_in_report(self) -> dict[str, Any]:
        """Return which of the parts that not every study has the report is to show."""
        tasks = [f"{task}/{network}" for task in self.tasks.ladders for network in self.tasks.networks]
        return {
            "study": self.name,
            "recurrent": self.recurrent_runs,
            "states": self.runs_with_states,
            "gradients": self.gradients is not None,
            "tasks": tasks if self.task_pages else [],
            "embeddings": list(self._study.embeddings),
            "searches": list(self._study.searches),
            "memory": self._study.hopfield is not None,
            "exposure": bool(self.exposures),
            "data_size": bool(self.data_size_pages),
        }
