"""All that the Snakefile imports: the study, and for each rule its files, `spec` and `code` params.

Neither torch nor pandas nor mlflow stands behind this module: each call of Snakemake, and each cluster job, reads it.
"""

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nextchapter.code import fingerprint
from nextchapter.parts import Parts
from nextchapter.sources import FILES_EACH_ALONE, locate_books, share_out, without_braces
from nextchapter.spec.base import SpecError, canonical_json, digest
from nextchapter.spec.corpus import PRIVATE_ADDRESSES, SHELF, DividedSource, FolderSource, PretokenizedSource, UrlSource
from nextchapter.spec.embeddings import GloveSpec
from nextchapter.spec.gradient_lab import GradientsSpec
from nextchapter.spec.hopfield import HopfieldSpec
from nextchapter.spec.models import EmSpec
from nextchapter.spec.redaction import public_address
from nextchapter.spec.study import Study, configuration_of, read_study
from nextchapter.spec.tracking import TRACKING
from nextchapter.spec.training import TrainingSpec
from nextchapter.store.checksums import find_damage, forget_checksum
from nextchapter.store.files import read_json
from nextchapter.store.shared import VARIABLE, results_folder

STAGES = "nextchapter.stages"
USES_OF_A_MODEL = ("evaluate_model", "write_chapter", "describe_states", "draw_neurons", "measure_exposure")
"""The rules that load a trained model and its tokenizer."""
SNAKEMAKE_CACHE = "SNAKEMAKE_OUTPUT_CACHE"
"""Environment variable by which Snakemake is told where it keeps what workflows share."""
STUDY_FILE = "NEXTCHAPTER_STUDY_FILE"
"""Environment variable by which `make run` asks for the name of the study, in a file of that name."""
UNQUOTED_ON_CLUSTERS = frozenset("\"'`$\\!\n\r\t")
"""What the plugins of Snakemake for clusters hand to a shell as it is, when they submit a job."""
IGNORED_NAMED = 50
"""So many of the files that are no books are named."""
GLOVE_THREADS = 2
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
        self.searched, self.parts = study.searched, Parts(study)
        self.files, self.ignored = locate_books(study)
        self.shards = share_out(self.files)
        """The files that one job cleans, by the name of the job; up to `FILES_EACH_ALONE` files it is one each."""
        self._refuse_another_shelf()
        self._refuse_unreadable()

    @classmethod
    def from_config(cls, config: Mapping[str, Any], argv: Sequence[str] = ()) -> "Flow":
        """Return the flow of Snakemake's `config`, and set the environment of the stages.

        This interpreter comes first in their PATH. What may hold a password, the address of the store and those of
        the books, reaches them by variables of its own: Snakemake keeps the `spec` of a job, and `ps` shows it to all.
        Where a folder is shared, Snakemake is told its place in it.

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
        cache = results_folder()
        if cache is not None:
            os.environ[SNAKEMAKE_CACHE] = str(cache)
        flow = cls(read_study(values))
        os.environ[TRACKING] = flow.study.tracking.json_text()
        os.environ[SHELF] = flow.shelf
        if isinstance(flow.study.corpus.source, UrlSource):
            os.environ[PRIVATE_ADDRESSES] = canonical_json(flow.study.corpus.source.private_addresses)
        if flow.launched:
            Path(os.environ[STUDY_FILE]).write_text(flow.name, encoding="utf-8")
        return flow

    def _refuse_another_shelf(self) -> None:
        recorded = Path("results", self.name, "corpus", "account.json")
        if recorded.is_file() and find_damage(recorded) is None:  # a damaged one is made again
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
    def shares(self) -> bool:
        """Whether results are shared with other checkouts and users, in the folder that the environment names."""
        return bool(os.environ.get(VARIABLE))

    @staticmethod
    def forget_checksums(jobs: Iterable[Any]) -> None:
        """Forget the checksums of earlier results whose place shared ones may take, without a stage that would do it.

        Args:
            jobs: those of Snakemake that are about to run.
        """
        for job in jobs:
            if job.rule.cache and job.rule.cache.output:
                for path in job.output:
                    forget_checksum(path)

    def refuse_names_for_a_cluster(self) -> None:
        """See that a queue can be told of this study.

        Raises:
            SpecError: its name or its folder of books has a character that a shell there would take for its own.
        """
        for what, text in (("the study's name", self.name), ("the folder of the books", self.shelf)):
            found = sorted(UNQUOTED_ON_CLUSTERS.intersection(text))
            if found:
                raise SpecError(
                    f"{what} is {text!r}: with {' '.join(map(repr, found))} in it no job can be sent to a cluster. "
                    "Rename the folder, or set `study` to a plain name"
                )

    @property
    def shelf(self) -> str:
        """Where the books come from: a folder, or a package and its version.

        No `spec` holds it: a folder's path is another in each checkout, and what they share must not depend on it.
        """
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
        return [without_braces(file, self.name) for file in self.files] if is_divided else []

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

    def files_of_search(self, file: str) -> Callable[[Any], list[str]]:
        """Return the input function that finds a file of each run of a search."""
        return lambda wildcards: [
            f"results/{self.name}/runs/{name}/{file}"
            for name, (_, seed) in self.runs.items()
            if self.searched.get(configuration_of(name, seed), {}).get("name") == wildcards.search
        ]

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

    def threads_of(self, wildcards: Any) -> int:
        """Return on how many threads an embedding is learned: those of GloVe change no digit, those of gensim would."""
        return GLOVE_THREADS if isinstance(self.study.embeddings[wildcards.embedding], GloveSpec) else 1

    def sources_of(self, shard: str) -> list[str]:
        """Return the files that a job cleans, by links where a path holds a brace, Snakemake's sign of a wildcard."""
        return [without_braces(file, self.name) for file in self.shards[shard]]

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
                source = corpus.source.public if isinstance(corpus.source, UrlSource) else corpus.source
                return source.model_dump(mode="json")
            case "clean_books":
                settings = corpus.model_dump(
                    mode="json", include={"join_wrapped_lines", "max_book_mb", "on_unreadable"}
                )
                return {**settings, "files": [{"name": file.name, "file": file.file} for file in self.shards[name]]}
            case "find_duplicates":
                return {
                    "similarity": corpus.duplicate_similarity,
                    "languages": list(corpus.languages),
                    **self._order(),
                }
            case "split_corpus":
                planted = corpus.canaries
                return {
                    **({} if planted is None else {"canaries": planted.model_dump(mode="json")}),
                    "split": corpus.split.model_dump(mode="json"),
                    "languages": list(corpus.languages),
                    **self._order(),
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
                return self.parts.tasks.trials_of(*name.split("/"))
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
                return self.parts.shown_in_report()
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
        return {"files": files, "shares": shares}

    def _gradients(self) -> dict[str, Any]:
        """Return what `measure_gradients` measures: settings, runs, and the tokenizers in the order of its files."""
        settings = self.parts.gradients or GradientsSpec()  # switched off, it may still be asked for
        runs = [
            {
                "run": name,
                "configuration": configuration_of(name, self.runs[name][1]),
                "seed": self.runs[name][1],
                "tokenizer": self.runs[name][0].tokenizer,
            }
            for name in self.parts.recurrent_runs
        ]
        return {
            "gradients": settings.model_dump(mode="json"),
            "runs": runs,
            "tokenizers": self.parts.recurrent_tokenizers,
        }

    def code(self, rule: str, name: str = "") -> str:
        """Return the fingerprint of the code behind a rule, with that of all that it loads by name."""
        extra: list[str] = []
        if rule in ("train_model", *USES_OF_A_MODEL):
            extra += self._families(name)
        if rule == "measure_gradients":
            extra += [family for run in self.parts.recurrent_runs for family in self._families(run)]
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
        spec = self.parts.tasks.networks[network]
        training = TrainingSpec(omega=spec.omega)
        optimiser = f"nextchapter.training.optimisers.{spec.optimiser}"
        family = f"nextchapter.models.{spec.model.kind.replace('-', '_')}"
        return [f"nextchapter.diagnostics.tasks.{task}", family, optimiser, *training.ingredients]

    def _order(self) -> dict[str, Any]:
        """Return the order of the shelf: that of the names where a job cleans several files, else that of the jobs.

        Of inputs in another order Snakemake sees nothing.
        """
        in_name_order = len(self.files) > FILES_EACH_ALONE
        return {"in_name_order": in_name_order, "order": [] if in_name_order else list(self.shards)}

    def _tracking(self, run: str, record: str) -> dict[str, Any]:
        """Return what a rule of tracking reads; a failed attempt to publish changes it, and so is made up for."""
        is_whole = Path(record).is_file() and find_damage(record) is None
        failed = read_json(record).get("failed_attempts", 0) if is_whole else 0
        uri = self.study.tracking.uri
        shown = None if uri is None else public_address(uri)
        return {"study": self.name, "run": run, "uri": shown, "failed_attempts": failed}

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


def _as_typed(key: str, value: Any, argv: Sequence[str]) -> str:
    """Return a `--config KEY=TEXT` value as it was typed, whatever Snakemake made of it.

    Snakemake takes `2026` for a number, `a: b` for a mapping and ` #` for a comment. A job on a cluster gets the
    value encoded, already as text.
    """
    typed = [text.removeprefix(f"{key}=") for text in argv if text.startswith(f"{key}=")]
    return typed[-1] if typed and not typed[-1].startswith("base64//") else str(value)
