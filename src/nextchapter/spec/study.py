"""A study: one shelf, any number of tokenizers and runs; read from YAML values, checked whole."""

import functools
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, model_validator

from nextchapter.spec.base import NAME_PATTERN, Name, Spec, SpecError
from nextchapter.spec.corpus import CorpusSpec, FolderSource, PretokenizedSource
from nextchapter.spec.embeddings import EmbeddingSpec
from nextchapter.spec.evaluation import EvaluationSpec
from nextchapter.spec.examination import ExaminationSpec
from nextchapter.spec.families import ModelSpec
from nextchapter.spec.gradient_lab import GradientLabSpec
from nextchapter.spec.hopfield import HopfieldSpec
from nextchapter.spec.members import follow_tokenizers, resolve_members
from nextchapter.spec.redaction import redact
from nextchapter.spec.searches import SearchSpec, point_at_search
from nextchapter.spec.tokens import TokenizerSpec, WordsSpec
from nextchapter.spec.tracking import TrackingSpec
from nextchapter.spec.training import TrainingSpec
from nextchapter.spec.writing import WritingSpec

Kind = TypeVar("Kind", bound=Spec)

# A study is a folder under results/ and part of file patterns: what a path or a pattern reads otherwise is replaced,
# and so is what moves the cursor of a terminal or ends a line.
_UNSAFE_IN_NAMES = frozenset('/\\{}<>:"|?*')
_UNSAFE_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")

_NULL_IS_A_VALUE = ("hopfield", "gradient_lab")

_RESERVED = ("mlflow.db", "mlartifacts")  # stand under results/ themselves


class RunSpec(Spec):
    """One model, trained once a seed."""

    model: ModelSpec
    """The model; `model.kind` names it."""
    tokenizer: Name = ""
    """One of the study's `tokenizers`; must be given, save for a run made of others, which has theirs."""
    embedding: Name | None = None
    """One of the study's `embeddings`, from which the network's own vectors start; null starts them at random."""
    train_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the training chapters that the run reads, such as 0.125 for an eighth; which ones follows from its seed,
    and a larger share holds all of a smaller one (docs/data-size.md). Tokenizer and embeddings are still of all."""
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(min_length=1)] = (1,)
    """One run is trained for each; `lstm` with seed 1 is the run `lstm.s1`."""
    training: TrainingSpec = TrainingSpec()
    """Keys given here replace those of the study's `training`."""

    @model_validator(mode="after")
    def _training_fits_the_model(self) -> "RunSpec":
        model, training = self.model, self.training
        if training.precision == "bfloat16" and not model.takes_bfloat16:
            raise ValueError(f"training.precision: found 'bfloat16'; a model of the kind {model.kind} allows float32")
        if training.sampled_softmax and getattr(model, "adaptive", None) is not None:
            found = f"training.sampled_softmax: found {training.sampled_softmax}"
            raise ValueError(f"{found}; with model.adaptive it must be null, since only a softmax can be sampled")
        return self

    @model_validator(mode="after")
    def _seeds_differ(self) -> "RunSpec":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must differ; found {list(self.seeds)}")
        return self


class Study(Spec):
    """The whole of a study."""

    study: str | None = None
    """Name of the study and of its folder under results/; null takes the shelf's name."""
    books: str | None = None
    """A folder of books to read instead of `corpus.source`; usually given as `--config books=FOLDER`."""
    data: str | None = None
    """The folder in which the files of a corpus that comes divided lie; usually given as `--config data=FOLDER`."""
    preset: str | None = None
    """One of the `presets`; usually given as `--config preset=NAME`. Null takes none."""
    presets: dict[Name, dict[str, Any]] = Field(default={})
    """Sets of values by name, such as `cpu` and `gpu`; the chosen one is laid over the others: keys inside of keys, but
    what has another `kind` as a whole, and so lists."""
    corpus: CorpusSpec
    """The shelf."""
    tokenizers: Annotated[dict[Name, TokenizerSpec], Field(min_length=1)]
    """The tokenizers, by name."""
    embeddings: dict[Name, EmbeddingSpec] = Field(default={})
    """Vectors of tokens to learn apart from any model, by name."""
    training: TrainingSpec = TrainingSpec()
    """What all runs share of their training."""
    runs: dict[Name, RunSpec] = Field(default={})
    """The models to train, by name; at least one, or a search."""
    searches: dict[Name, SearchSpec] = Field(default={})
    """Searches for good values of some keys, by name; all their runs join `runs` (docs/searches.md)."""
    evaluation: EvaluationSpec = EvaluationSpec()
    """How the runs are scored."""
    writing: WritingSpec = WritingSpec()
    """How the chapters are written."""
    examination: ExaminationSpec = ExaminationSpec()
    """How the chapters are examined."""
    tracking: TrackingSpec = TrackingSpec()
    """Where the runs are shown."""
    hopfield: HopfieldSpec | None = HopfieldSpec()
    """The associative memory that stands beside the models; null leaves it out."""
    gradient_lab: GradientLabSpec | None = GradientLabSpec()
    """How far back networks learn, and why not further; null leaves it out."""

    @model_validator(mode="after")
    def _searches_become_runs(self) -> "Study":
        found = {name: run for search in self.searches for name, run in self._runs_of(search).items()}
        if not found and not self.runs:
            raise ValueError("runs: missing; at least one must be given, or one of searches")
        return self.model_copy(update={"runs": {**self.runs, **found}})

    def _runs_of(self, name: str) -> dict[str, RunSpec]:
        """Return the runs of a search by name."""
        search = self.searches[name]
        if search.base is not None and search.base not in self.runs:
            allowed = ", ".join(self.runs) or "none is configured"
            raise ValueError(f"searches.{name}.base: found {search.base!r}; allowed: {allowed}")
        base = self.runs[search.base].model_dump(exclude_unset=True) if search.base is not None else search.run or {}
        raw = {run: _with_values(base, values) for run, values in search.points(name).items()}
        try:
            budget = search.budget(sum(_count_seeds(run) for run in raw.values()))
        except ValueError as error:
            raise ValueError(f"searches.{name}.{error}") from None
        budgets = {f"training.{key}": share for key, share in budget.items()}
        return {run: _read_run(run, _with_values(values, budgets)) for run, values in raw.items()}

    @model_validator(mode="after")
    def _members_fit(self) -> "Study":
        """Give the runs that are made of others the tokenizer of those."""
        tokenizers = follow_tokenizers(self.runs, resolve_members(self.runs))
        runs = {name: run.model_copy(update={"tokenizer": tokenizers[name]}) for name, run in self.runs.items()}
        return self.model_copy(update={"runs": runs})

    @model_validator(mode="after")
    def _tokenizers_exist(self) -> "Study":
        for name, run in self.runs.items():
            if run.tokenizer not in self.tokenizers:
                found, allowed = run.tokenizer, ", ".join(self.tokenizers)
                raise ValueError(f"runs.{name}.tokenizer: found {found!r}; allowed: {allowed}")
        return self

    @model_validator(mode="after")
    def _words_are_taken_as_they_are(self) -> "Study":
        if isinstance(self.corpus.source, PretokenizedSource):
            for name, spec in self.tokenizers.items():
                if isinstance(spec, WordsSpec) and not spec.pretokenized:
                    found = f"tokenizers.{name}.pretokenized: found false"
                    raise ValueError(f"{found}; words of a pretokenized corpus need true")
        return self

    @model_validator(mode="after")
    def _embeddings_fit(self) -> "Study":
        for name, spec in self.embeddings.items():
            if spec.tokenizer not in self.tokenizers:
                found, allowed = spec.tokenizer, ", ".join(self.tokenizers)
                raise ValueError(f"embeddings.{name}.tokenizer: found {found!r}; allowed: {allowed}")
        for name, run in self.runs.items():
            problem = self._misfit(run)
            if problem:
                raise ValueError(f"runs.{name}.{problem}")
        return self

    def _misfit(self, run: RunSpec) -> str | None:
        """Return what stands between a run and the vectors that it is to start from: key, found, allowed."""
        if run.embedding is None:
            return None
        if run.embedding not in self.embeddings:
            return f"embedding: found {run.embedding!r}; allowed: {', '.join(self.embeddings) or 'none is configured'}"
        vectors = self.embeddings[run.embedding]
        if run.tokenizer != vectors.tokenizer:
            return f"tokenizer: found {run.tokenizer!r}; embedding {run.embedding!r} needs {vectors.tokenizer!r}"
        if not run.model.has_token_vectors:
            return f"embedding: found {run.embedding!r}; a model of the kind {run.model.kind} has no token vectors"
        width, needed = getattr(run.model, "embedding", None), vectors.dimensions
        if width != needed:
            return f"model.embedding: found {width}; embedding {run.embedding!r} has {needed} dimensions"
        return None

    @property
    def name(self) -> str:
        """The name of the study, safe as a folder: its own, that of the books' folder, or that of the shelf."""
        chosen = self.study
        if chosen is None and isinstance(self.corpus.source, FolderSource):
            chosen = Path(self.corpus.source.path).name
        if chosen is None:
            chosen = self.corpus.name
        safe = "".join("-" if is_unsafe_in_a_name(character) else character for character in chosen)
        safe = safe.strip(" .") or "shelf"
        return f"{safe}-study" if safe in _RESERVED else safe

    @property
    def searched(self) -> dict[str, dict[str, Any]]:
        """The searches' names and the values searched, by the entry of `runs` that has them."""
        return {
            run: {"name": name, "values": {key: _value_of(self.runs[run], key, value) for key, value in values.items()}}
            for name, search in self.searches.items()
            for run, values in search.points(name).items()
        }

    @property
    def members(self) -> dict[str, tuple[str, ...]]:
        """The runs that each run is made of, all by their names with seeds; none for most."""
        return resolve_members(self.runs)

    @property
    def run_names(self) -> dict[str, tuple[RunSpec, int]]:
        """The runs of the study, `{name}.s{seed}`, each with its specification and seed."""
        return {run_name(name, seed): (run, seed) for name, run in self.runs.items() for seed in run.seeds}


def is_unsafe_in_a_name(character: str) -> bool:
    """Return whether a folder under results/ may not have a character in its name."""
    return character in _UNSAFE_IN_NAMES or unicodedata.category(character) in _UNSAFE_CATEGORIES


def run_name(configuration: str, seed: int) -> str:
    """Return the name of the run of a configuration, an entry of `runs`, with one of its seeds."""
    return f"{configuration}.s{seed}"


def configuration_of(run: str, seed: int) -> str:
    """Return the configuration that a run is of: runs of one configuration differ in the seed alone."""
    return run.removesuffix(run_name("", seed))


def _with_values(run: Mapping[str, Any], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a run with other values, given by their paths; a mapping is laid over what is there."""
    return functools.reduce(lambda changed, entry: _with_value(changed, *entry), values.items(), run)


def _with_value(run: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    first, _, rest = key.partition(".")
    if not rest:
        return lay_over(run, {first: value})
    below = run.get(first)
    return {**run, first: _with_value(below if isinstance(below, Mapping) else {}, rest, value)}


def _count_seeds(run: Mapping[str, Any]) -> int:
    """Return how many runs an entry of `runs` is, wrong as it may be."""
    seeds = run.get("seeds", RunSpec.model_fields["seeds"].default)
    return len(seeds) if isinstance(seeds, (list, tuple)) else 1


def _read_run(name: str, raw: Mapping[str, Any]) -> RunSpec:
    """Return a run of a search; a message on a wrong value begins with its path."""
    try:
        return RunSpec.model_validate(raw)
    except ValidationError as error:
        raise ValueError(_describe(error.errors()[0], raw, ("runs", name))) from None


def _value_of(run: RunSpec, key: str, given: Any) -> Any:
    """Return the value that a run has at a path, as its class reads it; of a mapping, what is given of it."""
    value = functools.reduce(getattr, key.split("."), run)
    return given if isinstance(value, Spec) else value


def read_study(config: Mapping[str, Any]) -> Study:
    """Return the study that a configuration asks for.

    The chosen preset is laid over the other values. A run's `training` holds only what differs from the study's: the
    two are merged here. A `books` folder takes the place of `corpus.source`, and its licence is not known. A key that
    is null has its default, but for `hopfield` and `gradient_lab`, where null is a value.

    Raises:
        SpecError: a key is unknown, or a value wrong; each is named with its path, what was found and what is
            allowed.
    """
    values = apply_preset(config)
    raw: dict[str, Any] = {key: value for key, value in values.items() if value is not None or key in _NULL_IS_A_VALUE}
    shared = raw.get("training", {})
    check_spec(TrainingSpec, shared, ("training",))
    if isinstance(raw.get("runs"), Mapping):
        raw["runs"] = {name: _with_shared_training(run, shared) for name, run in raw["runs"].items()}
    if isinstance(raw.get("searches"), Mapping):
        raw["searches"] = {name: _search_with_training(search, shared) for name, search in raw["searches"].items()}
    if "books" in raw and isinstance(raw.get("corpus"), Mapping):
        source = {"kind": "folder", "path": str(raw["books"])}
        raw["corpus"] = {**raw["corpus"], "source": source, "licence": None}
    return check_spec(Study, raw)


def apply_preset(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of a configuration with its chosen preset laid over them.

    Raises:
        SpecError: there is no preset of that name.
    """
    presets, chosen = config.get("presets") or {}, config.get("preset")
    if chosen is None or not isinstance(presets, Mapping):
        return config
    if chosen not in presets:
        raise SpecError(f"preset: found {chosen!r}; allowed: {', '.join(presets) or 'none, there are no presets here'}")
    preset = presets[chosen]
    return lay_over(config, preset) if isinstance(preset, Mapping) else config


def lay_over(values: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return some values with others laid over them: keys inside of keys, what has another `kind` as a whole."""
    merged = dict(values)
    for key, value in above.items():
        below = values.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and _have_one_kind(below, value):
            value = lay_over(below, value)
        merged[key] = value
    return merged


def _have_one_kind(below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    return bool(above.get("kind", below.get("kind")) == below.get("kind"))


def _with_shared_training(run: Any, shared: Any) -> Any:
    if not isinstance(run, Mapping) or not isinstance(run.get("training", {}), Mapping):
        return run
    return {**run, "training": {**shared, **run.get("training", {})}}


def _search_with_training(search: Any, shared: Any) -> Any:
    if not isinstance(search, Mapping) or "run" not in search:
        return search
    return {**search, "run": _with_shared_training(search["run"], shared)}


def check_spec(kind: type[Kind], raw: Any, path: tuple[str, ...] = (), whole: str = "the configuration") -> Kind:
    """Return the specification that some values are.

    Args:
        kind: its class.
        raw: the values.
        path: keys above them, for messages.
        whole: what the values are part of, for messages.

    Raises:
        SpecError: they are none; the message has a line for each that is wrong.
    """
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        lines = [point_at_search(_describe(problem, raw, path), raw) for problem in error.errors()]
    raise SpecError(redact(f"{whole} is wrong:\n" + "\n".join(f"  {line}" for line in dict.fromkeys(lines))))


def _describe(problem: Any, raw: Any, path: tuple[str, ...]) -> str:
    """Return `path: found VALUE; what is allowed` for one of pydantic's errors."""
    keys, value = list(path), raw
    for part in problem["loc"]:
        if isinstance(value, Mapping) and part not in value and part == value.get("kind"):
            continue  # the tag of a union is no key of the file
        if value is not None and not isinstance(value, (Mapping, list, tuple)):
            continue  # nor is the name of one of the types that a value may have
        keys.append(str(part))
        value = value[part] if isinstance(value, (Mapping, list, tuple)) and _has(value, part) else None
    allowed = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if problem.get("ctx", {}).get("pattern") == NAME_PATTERN:
        allowed = "a name has letters, digits, - and _, and begins with a letter or a digit"
    if problem["loc"][-1:] == ("[key]",):
        return f"{'.'.join(keys[:-2])}: found the name {problem['input']!r}; {allowed}"
    if problem["type"] == "wrong_key":
        return f"{'.'.join([*keys, problem['ctx']['key']])}: {allowed}"
    where = f"{'.'.join(keys)}: " if keys else ""
    if problem["type"] == "missing":
        return f"{where}missing; it must be given"
    if problem["type"] == "value_error":
        return f"{where}{allowed}"
    return f"{where}found {value!r}; {allowed}"


def _has(container: Any, part: Any) -> bool:
    if isinstance(container, Mapping):
        return part in container
    return isinstance(part, int) and part < len(container)
