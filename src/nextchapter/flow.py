"""All that the Snakefile imports: the study, and for each rule its files, `spec` and `code` params.

Neither torch nor pandas nor mlflow stands behind this module: each call of Snakemake, and each cluster job, reads it.
"""

import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nextchapter.code import fingerprint
from nextchapter.shelf import COMPRESSIONS, Refused, ShelfFile, distinct_names, printable, scan_folder
from nextchapter.spec.base import SpecError, canonical_json, digest
from nextchapter.spec.corpus import DividedSource, FolderSource, PretokenizedSource, UrlSource, WheelSource
from nextchapter.spec.embeddings import GloveSpec
from nextchapter.spec.gradient_lab import GradientsSpec
from nextchapter.spec.hopfield import HopfieldSpec
from nextchapter.spec.models import EmSpec, RecurrentSpec
from nextchapter.spec.study import Study, configuration_of, read_study
from nextchapter.spec.tasks import TasksSpec
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.files import read_json

STAGES = "nextchapter.stages"
USES_OF_A_MODEL = ("evaluate_model", "write_chapter", "describe_states", "draw_neurons", "measure_exposure")
"""The rules that load a trained model and its tokenizer."""
STUDY_FILE = "NEXTCHAPTER_STUDY_FILE"
"""Environment variable by which `make run` asks for the name of the study, in a file of that name."""
FILES_EACH_ALONE = 16
"""Up to so many files each has a job of its own; a job takes two seconds to start."""
FEWEST_SHARDS = 16
FILES_A_SHARD = 512
"""About so many at most."""
COMMAND_BYTES = 60_000
"""What the files of one job may take of its command line; Linux allows 128 kB."""
IGNORED_NAMED = 50
"""So many of the files that are no books are named."""
GLOVE_THREADS = 2
_SUFFIXES = " or ".join(sorted(COMPRESSIONS))
CHATTER = ("Select jobs to execute", "Execute ", "Assuming unrestricted", "Workflow defines that rule", "Conda env")
"""Beginnings of Snakemake's messages that tell a reader nothing; the stages tell what they do."""


class Flow:
    """What the rules need to know of a study."""

    def __init__(self, study: Study) -> None:
        """Look at the shelf and name its books.

        Raises:
            SpecError: the folder of books is missing or empty, or another shelf's study has this name, or something
                in the folder is no book where that is to end the run.
        """
        self.study = study
        self.name = study.name
        self.runs, self.members = study.run_names, study.members
        self.searched = study.searched
        self.files, self.ignored = self._shelf()
        self.shards = share_out(self.files)
        """The files that one job cleans, by the name of the job; up to `FILES_EACH_ALONE` files it is one each."""
        self._refuse_another_shelf()
        self._refuse_unreadable()

    @classmethod
    def from_config(cls, config: Mapping[str, Any], argv: Sequence[str] = ()) -> "Flow":
        """Return the flow of Snakemake's `config`, and set the environment of the stages.

        This interpreter comes first in their PATH, and `NEXTCHAPTER_TRACKING` tells a training where to show itself.

        Args:
            config: the values of the configuration files and of `--config`.
            argv: Snakemake's command line; a folder's name is taken from there as it was typed, since Snakemake
                reads `books=2026` as a number.
        """
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        values = dict(config)
        for key in ("books", "data", "preset", "study"):
            if values.get(key) is not None:
                values[key] = _as_typed(key, values[key], argv)
        for key in ("books", "data"):
            if values.get(key) is not None:
                values[key] = str(Path(values[key]).expanduser().resolve())
        flow = cls(read_study(values))
        os.environ["NEXTCHAPTER_TRACKING"] = flow.study.tracking.json_text()
        if flow.launched:
            Path(os.environ[STUDY_FILE]).write_text(flow.name, encoding="utf-8")
        return flow

    def _shelf(self) -> tuple[list[ShelfFile], list[Refused]]:
        """Return the files of the shelf in its order, and those that are no books."""
        source = self.study.corpus.source
        if isinstance(source, FolderSource):
            return _files_in(source)
        if isinstance(source, DividedSource):
            return _given_files(source, self.study.data), []
        if isinstance(source, WheelSource):
            folder = Path("resources/books") / f"{source.package}-{source.version}"
            paths = [(file, folder / file) for file in source.files]
        else:
            downloads = Path("resources/downloads")
            paths = [(entry.file, downloads / entry.sha256[:16] / entry.file) for entry in source.files]
        names = distinct_names([file for file, _ in paths])
        return [ShelfFile(name, file, path) for name, (file, path) in zip(names, paths, strict=True)], []

    def _refuse_another_shelf(self) -> None:
        recorded = Path("results", self.name, "corpus", "account.json")
        if recorded.is_file():
            other, own = read_json(recorded).get("shelf"), self.shelf
            if other != own and (not other.startswith("/") or Path(other).is_dir()):
                raise SpecError(
                    f"results/{self.name} holds a study of another shelf ({other}, now {own}); "
                    f"give this one a name of its own: --config books=... study=NAME"
                )

    def _refuse_unreadable(self) -> None:
        if self.ignored and self.study.corpus.on_unreadable == "fail":
            first, more = self.ignored[0], len(self.ignored) - 1
            raise SpecError(
                f"corpus.on_unreadable: found fail, and in the folder {first.file}: {first.reason}"
                f"{f' (and {more} more that are no books)' if more else ''}; take them out, or let it be skip"
            )

    @property
    def launched(self) -> bool:
        """Whether `make run` called, which writes the report and shows the last screen itself."""
        return bool(os.environ.get(STUDY_FILE))

    @property
    def shelf(self) -> str:
        """Where the books come from: a folder, or a package and its version."""
        source = self.study.corpus.source
        if isinstance(source, FolderSource):
            return str(Path(source.path).expanduser().resolve())
        if isinstance(source, DividedSource):
            return ", ".join(file.file for file in self.files)
        if isinstance(source, UrlSource):
            hosts = sorted({urlsplit(download.url).hostname or "" for download in source.files})
            told = digest([download.sha256 for download in source.files])
            return f"{len(source.files)} files from {', '.join(hosts)}, {told}"
        return f"{source.package} {source.version}"

    @property
    def fetched(self) -> list[str]:
        """The books that have to be fetched first; none where they lie in a folder."""
        in_place = isinstance(self.study.corpus.source, FolderSource | DividedSource)
        return [] if in_place else [str(file.path) for file in self.files]

    @property
    def given_splits(self) -> list[str]:
        """The files where the corpus comes divided, in one or one a split; else none."""
        is_divided = isinstance(self.study.corpus.source, DividedSource)
        return [self._without_braces(file) for file in self.files] if is_divided else []

    @staticmethod
    def pattern(names: Iterable[str]) -> str:
        """Return the regular expression of a wildcard that stands for these names and no others."""
        return "|".join(re.escape(name) for name in names)

    def tokens_of(self, file: str) -> Callable[[Any], str]:
        """Return the input function that finds a file among the tokens of a run's tokenizer."""
        return lambda wildcards: f"results/{self.name}/tokens/{self.runs[wildcards.run][0].tokenizer}/{file}"

    @property
    def tokenizers_of_runs(self) -> list[str]:
        """The tokenizer of each run, in the order of the runs."""
        return [f"results/{self.name}/tokens/{run.tokenizer}/tokenizer.model" for run, _ in self.runs.values()]

    def vectors_of(self, wildcards: Any) -> list[str]:
        """Return the vectors that a run starts from: one file, or none."""
        embedding = self.runs[wildcards.run][0].embedding
        return [] if embedding is None else [f"results/{self.name}/embeddings/{embedding}/vectors.safetensors"]

    @property
    def runs_with_states(self) -> list[str]:
        """The runs whose model is in one of some hidden states at each token, few enough to be described."""
        return [name for name, (run, _) in self.runs.items() if run.model.described_states]

    def files_of_search(self, file: str) -> Callable[[Any], list[str]]:
        """Return the input function that finds a file of each run of a search."""
        return lambda wildcards: [
            f"results/{self.name}/runs/{name}/{file}"
            for name, (_, seed) in self.runs.items()
            if self.searched.get(configuration_of(name, seed), {}).get("name") == wildcards.search
        ]

    @property
    def recurrent_runs(self) -> list[str]:
        """The runs that the gradient lab looks into: a recurrent network each, and none that is made of others."""
        return [name for name, (run, _) in self.runs.items() if isinstance(run.model, RecurrentSpec)]

    @property
    def recurrent_tokenizers(self) -> list[str]:
        """The tokenizers of these runs, each once; without such a run, the study's first."""
        used = [self.runs[name][0].tokenizer for name in self.recurrent_runs]
        return list(dict.fromkeys(used)) or list(self.study.tokenizers)[:1]

    @property
    def gradients(self) -> GradientsSpec | None:
        """How the gradient lab looks into networks; None where it is switched off."""
        lab = self.study.gradient_lab
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

    def members_of(self, wildcards: Any) -> list[str]:
        """Return the models that a run is made of; none for most."""
        return [f"results/{self.name}/runs/{member}/model.safetensors" for member in self.members[wildcards.run]]

    def tokens_behind(self, file: str) -> Callable[[Any], str]:
        """Return the input function that finds a file among the tokens of an embedding's tokenizer."""
        embeddings = self.study.embeddings
        return lambda wildcards: f"results/{self.name}/tokens/{embeddings[wildcards.embedding].tokenizer}/{file}"

    def cooccurrences_of(self, wildcards: Any) -> list[str]:
        """Return the counted pairs that an embedding is learned from: one file, or none."""
        counted = isinstance(self.study.embeddings[wildcards.embedding], GloveSpec)
        return [f"results/{self.name}/embeddings/{wildcards.embedding}/cooccurrences.bin"] if counted else []

    @property
    def other_authors(self) -> list[str]:
        """Samples of the other authors in the package that the books come from; none where they come otherwise."""
        from_package = isinstance(self.study.corpus.source, WheelSource)
        return [f"results/{self.name}/corpus/other-authors.parquet"] if from_package else []

    @property
    def exposures(self) -> list[str]:
        """The table and the figure of what the models keep by heart; none where no canary is planted."""
        folder = f"results/{self.name}"
        return (
            [] if self.study.corpus.canaries is None else [f"{folder}/exposure.csv", f"{folder}/figures/exposure.svg"]
        )

    @property
    def data_size_pages(self) -> list[str]:
        """The figure of what runs make of more data; none where no network is trained on several shares of it."""
        shares: dict[str, set[float]] = {}
        for run in self.study.runs.values():
            network = canonical_json(run.model_dump(mode="json", exclude={"train_share", "seeds"}))
            shares.setdefault(network, set()).add(run.train_share)
        is_drawn = any(len(found) > 1 for found in shares.values())
        return [f"results/{self.name}/figures/data-size.png"] if is_drawn else []

    @property
    def memory_pages(self) -> list[str]:
        """The figure and the page of the associative memory; none where it is switched off."""
        folder = f"results/{self.name}/diagnostics/hopfield"
        return [] if self.study.hopfield is None else [f"{folder}/hopfield.png", f"{folder}/hopfield.html"]

    @property
    def tasks(self) -> TasksSpec:
        """The memory tasks; those of the default where they are switched off: one may still ask for their files."""
        lab = self.study.gradient_lab
        return TasksSpec() if lab is None or lab.tasks is None else lab.tasks

    @property
    def task_records(self) -> list[str]:
        """What becomes of each network in each memory task."""
        folder = f"results/{self.name}/diagnostics/tasks"
        return [f"{folder}/{task}/{network}.json" for task in self.tasks.ladders for network in self.tasks.networks]

    @property
    def task_pages(self) -> list[str]:
        """The figure and the page of the memory tasks; none where they are switched off."""
        lab, folder = self.study.gradient_lab, f"results/{self.name}/diagnostics/tasks"
        return [] if lab is None or lab.tasks is None else [f"{folder}/tasks.png", f"{folder}/tasks.html"]

    @property
    def report_files(self) -> list[str]:
        """What the report shows of the parts that not every study has."""
        folder, parts = f"results/{self.name}", self._report_parts()
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
            *states,
            *vectors,
            *searches,
        ]

    def _report_parts(self) -> dict[str, Any]:
        """Return which of the parts that not every study has the report is to show."""
        return {
            "study": self.name,
            "recurrent": self.recurrent_runs,
            "states": self.runs_with_states,
            "gradients": self.gradients is not None,
            "tasks": [f"{task}/{network}" for task in self.tasks.ladders for network in self.tasks.networks]
            if self.task_pages
            else [],
            "embeddings": list(self.study.embeddings),
            "searches": list(self.study.searches),
            "memory": self.study.hopfield is not None,
            "exposure": bool(self.exposures),
        }

    def threads_of(self, wildcards: Any) -> int:
        """Return on how many threads an embedding is learned: those of GloVe change no digit, those of gensim would."""
        return GLOVE_THREADS if isinstance(self.study.embeddings[wildcards.embedding], GloveSpec) else 1

    def sources_of(self, shard: str) -> list[str]:
        """Return the files that a job cleans, by links where a path holds a brace, Snakemake's sign of a wildcard."""
        return [self._without_braces(file) for file in self.shards[shard]]

    def _without_braces(self, file: ShelfFile) -> str:
        if "{" not in str(file.path):
            return str(file.path)
        suffix = file.path.suffix.lower()
        link = Path(".work/shelf", self.name, book_key(file.file) + suffix * (suffix in COMPRESSIONS))
        if not link.is_symlink() or link.readlink() != file.path:
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(file.path)
        return str(link)

    def spec(self, rule: str, name: str = "") -> str:
        """Return the canonical JSON of what a rule reads of the configuration, and of nothing else.

        Args:
            rule: name of the rule.
            name: the run, book, tokenizer, embedding, or `TASK/NETWORK` it works on.
        """
        return canonical_json(self._spec(rule, name))

    def _spec(self, rule: str, name: str) -> Any:
        study, corpus = self.study, self.study.corpus
        match rule:
            case "fetch_books" | "read_other_authors":
                return corpus.source.model_dump(mode="json")
            case "clean_books":
                settings = corpus.model_dump(
                    mode="json", include={"join_wrapped_lines", "max_book_mb", "on_unreadable"}
                )
                return {**settings, "files": [{"name": file.name, "file": file.file} for file in self.shards[name]]}
            case "find_duplicates":
                return {
                    "similarity": corpus.duplicate_similarity,
                    "languages": list(corpus.languages),
                    "in_name_order": self._is_shared_out,
                }
            case "split_corpus":
                planted = corpus.canaries
                return {
                    **({} if planted is None else {"canaries": planted.model_dump(mode="json")}),
                    "split": corpus.split.model_dump(mode="json"),
                    "languages": list(corpus.languages),
                    "shelf": self.shelf,
                    "in_name_order": self._is_shared_out,
                }
            case "read_splits":
                return self._division()
            case "render_quality":
                ignored = [asdict(refused) for refused in self.ignored[:IGNORED_NAMED]]
                return {"ignored": ignored, "ignored_count": len(self.ignored)}
            case "recall_patterns":
                memory = study.hopfield or HopfieldSpec()  # switched off, it may still be asked for by name
                return memory.model_dump(mode="json")
            case "train_tasks":
                return self.tasks.trials_of(*name.split("/"))
            case "train_tokenizer":
                return study.tokenizers[name].model_dump(mode="json")
            case "encode_corpus":
                return {
                    "kind": study.tokenizers[name].kind,
                    "pretokenized": isinstance(corpus.source, PretokenizedSource),
                }
            case "count_cooccurrences":
                return study.embeddings[name].model_dump(mode="json", include={"window", "min_count", "memory_mb"})
            case "train_embedding":
                return study.embeddings[name].model_dump(mode="json")
            case "evaluate_embedding" | "plot_embedding":
                return {"embedding": name}
            case "track_embedding":
                return self._tracking(name, f"results/{self.name}/embeddings/{name}/mlflow.json")
            case "train_model":
                run, seed = self.runs[name]
                made_of = {"members": self.members[name]} if self.members[name] else {}
                of_search = self.searched.get(configuration_of(name, seed))
                found_by = {"search": of_search} if of_search else {}
                reads_less = {"train_share": run.train_share} if run.train_share < 1 else {}
                return {
                    "run": name,
                    "study": self.name,
                    "seed": seed,
                    "tokenizer": run.tokenizer,
                    "embedding": run.embedding,
                    "model": run.model.model_dump(mode="json"),
                    "training": run.training.model_dump(mode="json", include=self._heeded_by_training(name)),
                    **made_of,
                    **found_by,
                    **reads_less,
                }
            case "evaluate_model":
                return {**study.evaluation.model_dump(mode="json"), "run": name}
            case "write_chapter":
                return {**study.writing.model_dump(mode="json"), "run": name}
            case "examine_chapter":
                return {**study.examination.model_dump(mode="json"), "run": name}
            case "describe_states" | "draw_neurons" | "measure_exposure":
                return {"run": name}
            case "measure_gradients":
                return self._gradients()
            case "plot_search":
                search = study.searches[name]
                scales = {key: spec.scale for key, spec in search.random.items() if spec.scale}
                return {
                    "search": name, "grid": sorted(search.grid), "random": sorted(search.random), "scales": scales,
                }  # fmt: skip
            case "compare_runs":
                return {"corpus": self.name}
            case "write_report":
                return self._report_parts()
            case "choose_chapter":
                return {"runs": list(self.runs)}
            case "create_experiment":
                return self._tracking(name, f"results/{self.name}/mlflow.json")
            case "track_run":
                return self._tracking(name, f"results/{self.name}/runs/{name}/mlflow.json")
            case "track_study":
                return self._tracking(name, f"results/{self.name}/mlflow-study.json")
            case "register_champion":
                tracking = self._tracking(name, f"results/{self.name}/mlflow-model.json")
                return {**tracking, "runs": list(self.runs), "licence": corpus.licence}
            case _:
                return {"study": self.name}

    def _division(self) -> dict[str, Any]:
        """Return what `read_splits` is to find in the files of a corpus that comes divided."""
        source = self.study.corpus.source
        given = source.given if isinstance(source, DividedSource) else ()
        files = [
            {"key": told.key, "name": file.name, "file": file.file, "sha256": told.sha256}
            for told, file in zip(given, self.files, strict=True)
        ]
        shares = source.model_dump(include={"valid_share", "test_share"}) if len(given) == 1 else None
        return {"shelf": self.shelf, "files": files, "shares": shares}

    def _gradients(self) -> dict[str, Any]:
        """Return what `measure_gradients` measures: settings, runs, and the tokenizers in the order of its files."""
        settings = self.gradients or GradientsSpec()  # switched off, it may still be asked for
        runs = [
            {
                "run": name,
                "configuration": configuration_of(name, self.runs[name][1]),
                "seed": self.runs[name][1],
                "tokenizer": self.runs[name][0].tokenizer,
            }
            for name in self.recurrent_runs
        ]
        return {"gradients": settings.model_dump(mode="json"), "runs": runs, "tokenizers": self.recurrent_tokenizers}

    def code(self, rule: str, name: str = "") -> str:
        """Return the fingerprint of the code behind a rule, with that of all that it loads by name."""
        extra: list[str] = []
        if rule in ("train_model", *USES_OF_A_MODEL):
            extra += self._families(name)
        if rule == "measure_gradients":
            extra += [family for run in self.recurrent_runs for family in self._families(run)]
        if rule == "train_model":
            extra += self._loaded_by_training(name)
        if rule == "train_tasks":
            extra += self._loaded_by_tasks(*name.split("/"))
        if rule in ("train_tokenizer", "encode_corpus"):
            extra.append(f"nextchapter.tokens.{self.study.tokenizers[name].kind}")
        if rule in USES_OF_A_MODEL:
            extra.append(f"nextchapter.tokens.{self.study.tokenizers[self.runs[name][0].tokenizer].kind}")
        if rule == "train_embedding":
            extra.append(f"nextchapter.embeddings.{self.study.embeddings[name].kind}")
        if rule == "evaluate_embedding":
            extra.append(f"nextchapter.tokens.{self.study.tokenizers[self.study.embeddings[name].tokenizer].kind}")
        if rule == "register_champion":
            extra.append("nextchapter.tracking.served_model")  # MLflow loads it by its path
        return fingerprint(f"{STAGES}.{rule}", extra)

    def _families(self, run: str) -> list[str]:
        """Return the modules of a run's model and, one inside the other, of those that it is made of."""
        own = f"nextchapter.models.{self.runs[run][0].model.kind.replace('-', '_')}"
        loaded = self.runs[run][0].model.loaded
        return [own, *loaded, *(family for member in self.members[run] for family in self._families(member))]

    def _heeded_by_training(self, name: str) -> set[str] | None:
        """Return the keys of `training` that a run reads; None for all."""
        if self.runs[name][0].model.reads_once or self.members[name]:
            return {"device"}
        return None if self.processes(name) > 1 else set(TrainingSpec.model_fields) - {"processes"}

    def _loaded_by_training(self, name: str) -> list[str]:
        """Return the modules that a run's training loads by name, those of its family apart."""
        run = self.runs[name][0]
        modules = ["nextchapter.embeddings.vectors"] if run.embedding is not None else []
        if run.model.reads_once or self.members[name]:
            return [*modules, "nextchapter.training.counting"]
        if isinstance(run.model, EmSpec):
            return modules
        modules.append(f"nextchapter.training.optimisers.{run.training.optimiser}")
        if run.training.average is not None:
            modules.append(f"nextchapter.training.averages.{run.training.average.replace('-', '_')}")
        if self.processes(name) > 1:
            modules.append("nextchapter.training.launcher")
        return [*modules, *run.training.ingredients]

    def _loaded_by_tasks(self, task: str, network: str) -> list[str]:
        """Return the modules that a network in a memory task loads by name."""
        spec = self.tasks.networks[network]
        training = TrainingSpec(omega=spec.omega)
        optimiser = f"nextchapter.training.optimisers.{spec.optimiser}"
        family = f"nextchapter.models.{spec.model.kind.replace('-', '_')}"
        return [f"nextchapter.diagnostics.tasks.{task}", family, optimiser, *training.ingredients]

    @property
    def _is_shared_out(self) -> bool:
        """Whether one job cleans several files, so that the shelf's order is that of the names."""
        return len(self.files) > FILES_EACH_ALONE

    def _tracking(self, run: str, record: str) -> dict[str, Any]:
        """Return what a rule of tracking reads; a failed attempt to publish changes it, and so is made up for."""
        failed = read_json(record).get("failed_attempts", 0) if Path(record).is_file() else 0
        return {"study": self.name, "run": run, "uri": self.study.tracking.uri, "failed_attempts": failed}

    def processes(self, run: str) -> int:
        """Return how many processes train a run: those that are asked for, if it learns by gradients, else one."""
        spec = self.runs[run][0]
        alone = spec.model.reads_once or isinstance(spec.model, EmSpec) or self.members[run]
        return 1 if alone else spec.training.processes

    def train_threads(self, run: str) -> int:
        """Return on how many processor threads a run trains in all its processes, if there are as many."""
        return self.runs[run][0].training.threads * self.processes(run)

    def gpus(self, run: str) -> int:
        """Return 1 when a run is computed on a GPU, else 0: the profile's limit then spaces such jobs out."""
        device = self.runs[run][0].training.device
        return int(device == "cuda" or (device == "auto" and Path("/proc/driver/nvidia/gpus").is_dir()))

    def train_gpus(self, run: str) -> int:
        """Return how many GPUs a run trains on: one for each of its processes."""
        return self.gpus(run) * self.processes(run)


def book_key(name: str) -> str:
    """Return a file name for a book of any name: readable, ASCII, unique, and independent of the other books."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{readable or 'book'}-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def share_out(files: Sequence[ShelfFile]) -> dict[str, list[ShelfFile]]:
    """Return which files one job cleans: few files one each, many files in shards.

    The shard of a file follows from its name and the number of shards, so that a file that joins the shelf is cleaned
    with its own shard only. There are enough shards that the files of one fit a command line.
    """
    if len(files) <= FILES_EACH_ALONE:
        return {book_key(file.name): [file] for file in files}
    written = sum(len(os.fsencode(file.path)) + 2 * len(os.fsencode(file.file)) + 30 for file in files)
    count = FEWEST_SHARDS
    while count * COMMAND_BYTES < written or count * FILES_A_SHARD < len(files):
        count *= 2
    shards: dict[str, list[ShelfFile]] = {}
    for file in files:
        digest = hashlib.sha256(os.fsencode(file.name)).digest()
        shards.setdefault(f"shard-{int.from_bytes(digest[:8]) % count:04d}", []).append(file)
    return dict(sorted(shards.items()))


def _files_in(source: FolderSource) -> tuple[list[ShelfFile], list[Refused]]:
    folder = Path(source.path).expanduser().resolve()
    if not folder.is_dir():
        raise SpecError(f"books: found {source.path!r}; it must be a folder of books, and there is none there")
    files, others = scan_folder(folder)
    ignored = [Refused(printable(refused.file), refused.reason) for refused in others]
    if not files:
        raise SpecError(f"books: there is no book in {str(folder)!r} or below it; {_what_is_there(ignored)}")
    told = [printable(file) for file in files]
    paths = [folder / file for file in files]
    shelf = [ShelfFile(*entry) for entry in zip(distinct_names(told), told, paths, strict=True)]
    return sorted(shelf, key=lambda file: file.name), ignored


def _given_files(source: DividedSource, data: str | None) -> list[ShelfFile]:
    """Return the files of a corpus that comes divided, called as the configuration calls them, compressed or not."""
    folder = Path(data or "").expanduser().resolve()
    if not folder.is_dir():
        needed = ", ".join(file.path for file in source.given)
        raise SpecError(f"data: found {data!r}; it must be the folder that holds {needed}, and there is none there")
    paths = []
    for key, file, _ in source.given:
        path = folder / Path(file).expanduser()
        found = _plain_or_compressed(path)
        if found is None:
            raise SpecError(
                f"corpus.source.{key}: found {file!r}; it must be a file, plain or with {_SUFFIXES} behind its name, "
                f"and there is none in {path.parent}{'' if data else '; --config data=FOLDER says where it lies'}"
            )
        paths.append(found)
    told = [printable(Path(file.path).name) for file in source.given]
    return [ShelfFile(*entry) for entry in zip(distinct_names(told), told, paths, strict=True)]


def _plain_or_compressed(path: Path) -> Path | None:
    candidates = [path, *(path.with_name(path.name + suffix) for suffix in sorted(COMPRESSIONS))]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _what_is_there(ignored: Sequence[Refused]) -> str:
    if not ignored:
        return "it must hold at least one"
    return "found " + "; ".join(f"{refused.file}: {refused.reason}" for refused in ignored[:3])


def _as_typed(key: str, value: Any, argv: Sequence[str]) -> str:
    """Return a `--config KEY=TEXT` value as it was typed, whatever Snakemake made of it.

    Snakemake takes `2026` for a number, `a: b` for a mapping and ` #` for a comment. A job on a cluster gets the
    value encoded, already as text.
    """
    typed = [text.removeprefix(f"{key}=") for text in argv if text.startswith(f"{key}=")]
    return typed[-1] if typed and not typed[-1].startswith("base64//") else str(value)
