"""The champion of a study in MLflow's model registry, and the way from an address there to its files."""

import re
import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient, artifacts, pyfunc
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array, Object, Property

from nextchapter.spec.base import digest
from nextchapter.spec.writing import WritingSpec
from nextchapter.store.files import sha256_of, write_text
from nextchapter.tracking.address import TrackingError, resolve_uri, sqlite_path
from nextchapter.tracking.store import RUN_KEY, Experiment, require_answer, store_errors

ALIAS = "champion"
DIGEST = "nextchapter.digest"
"""Tag of a version: digest of weights, tokenizer and program."""
SERVED = "served-model"
"""Among the artifacts of a run: a folder for each version, named by its digest, so that none is written over."""
_DESCRIPTION_CHARACTERS = 5000
"""What the databases of MLflow's servers hold."""
DOWNLOADS = Path(".work/models")
_PROGRAM = Path(__file__).with_name("served_model.py")
_CARD = "model-card.md"
_NEEDED = ("nextchapter", "mlflow", "torch", "numpy", "pandas", "safetensors", "sentencepiece")
_EXAMPLE = {"text": "It is a truth universally acknowledged"}
_VERSION = re.compile(r"models:/(?P<name>[^/]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[0-9]+))")


class Registered(NamedTuple):
    """A version in the registry."""

    name: str
    version: str
    run_id: str


def registered_name(study: str) -> str:
    """Return the name under which the champions of a study are registered."""
    return f"nextchapter-{study}"


def register_champion(
    experiment: Experiment, study: str, files: Mapping[str, Path], run_key: str, card: str
) -> Registered:
    """Let the alias `champion` point at a run's model; return its version. Doing this twice changes nothing.

    Equal weights, tokenizer and program are one version, whenever they are registered; its card is brought up to date.

    Args:
        experiment: that of the study.
        study: its name.
        files: `model`, `tokenizer` and `run`, which is `run.json`.
        run_key: tag of the run, which has been published before.
        card: in Markdown.

    Raises:
        TrackingError: the run is not in the store.
    """
    client, name = experiment.client, registered_name(study)
    _ensure_registered_model(client, name, study)
    content = digest({**{key: sha256_of(files[key]) for key in ("model", "tokenizer")}, "program": sha256_of(_PROGRAM)})
    found = _find_version(client, name, content)
    if found is None:
        found = _create_version(experiment, name, files, run_key, card, content)
    else:
        _renew_card(client, found, card)
    client.set_registered_model_alias(name, ALIAS, found.version)
    return Registered(name, str(found.version), str(found.run_id))


def _ensure_registered_model(client: MlflowClient, name: str, study: str) -> None:
    try:
        client.create_registered_model(name, description=f"The champions of the study {study}, one a version.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _find_version(client: MlflowClient, name: str, content: str) -> ModelVersion | None:
    found = client.search_model_versions(f"tags.`{DIGEST}` = '{content}'")
    return max((one for one in found if one.name == name), key=lambda one: int(one.version), default=None)


def _create_version(
    experiment: Experiment, name: str, files: Mapping[str, Path], run_key: str, card: str, content: str
) -> ModelVersion:
    """Put the model among the artifacts of its run, and register it from there."""
    runs = experiment.find_runs(f"tags.{RUN_KEY} = '{run_key}'")
    if not runs:
        raise TrackingError(f"the run of the key {run_key} has not been published yet")
    run_id, client = str(runs[0].info.run_id), experiment.client
    with tempfile.TemporaryDirectory() as folder:
        save_served_model(Path(folder) / SERVED, files, card)
        client.log_artifacts(run_id, str(Path(folder) / SERVED), f"{SERVED}/{content}")
    source, tags = f"{runs[0].info.artifact_uri}/{SERVED}/{content}", {DIGEST: content, RUN_KEY: run_key}
    return client.create_model_version(name, source, run_id, tags, description=card[:_DESCRIPTION_CHARACTERS])


def _renew_card(client: MlflowClient, found: ModelVersion, card: str) -> None:
    """Scores and licence may be known better than when the version was made."""
    description = card[:_DESCRIPTION_CHARACTERS]
    if found.description == description:
        return
    client.update_model_version(found.name, found.version, description)
    with tempfile.TemporaryDirectory() as folder:
        write_text(Path(folder) / _CARD, card)
        client.log_artifact(found.run_id, str(Path(folder) / _CARD), f"{SERVED}/{found.tags[DIGEST]}/artifacts")


def save_served_model(path: Path, files: Mapping[str, Path], card: str) -> None:
    """Write a run as a model that MLflow serves: weights in safetensors, tokenizer, program, signature, example, card.

    Args:
        path: a folder to make.
        files: `model`, `tokenizer` and `run`.
        card: in Markdown.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns of its own type hints
        card_file = Path(folder) / _CARD
        write_text(card_file, card)
        pyfunc.save_model(
            path,
            python_model=str(_PROGRAM),
            artifacts={name: str(file.absolute()) for name, file in {**files, "card": card_file}.items()},
            signature=signature(),
            input_example=([_EXAMPLE], _parameters()),
            pip_requirements=[f"{package}=={version(package).partition('+')[0]}" for package in _NEEDED],
        )


def signature() -> ModelSignature:
    """Return what a registered model takes and gives; which columns come depends on `mode`."""
    text, integer, number = DataType.string, DataType.long, DataType.double
    surprises = Array(Object([Property("text", text), Property("bits", number)]))
    always = {"run": text, "study": text, "words": integer}
    by_mode: dict[str, DataType | Array] = {
        "text": text,
        "characters": integer,
        "tokens": integer,
        "bits_per_character": number,
        "perplexity": number,
        "surprises": surprises,
    }
    outputs = [ColSpec(kind, name, required=name in always) for name, kind in {**always, **by_mode}.items()]
    kinds = {str: text, int: integer, float: number}
    parameters = ParamSchema([ParamSpec(name, kinds[type(value)], value) for name, value in _parameters().items()])
    return ModelSignature(Schema([ColSpec(text, "text")]), Schema([*outputs]), parameters)


def _parameters() -> dict[str, str | int | float]:
    """Return the parameters of a request, with the defaults of the command line."""
    spec = WritingSpec()
    writing = {"temperature": spec.temperature, "top_p": spec.top_p, "words": spec.words_max, "seed": spec.seed}
    return {"mode": "write", **writing}


def fetch_files(asked: str) -> Path:
    """Return the folder with the files of a model in MLflow: `model.safetensors`, `run.json`, `tokenizer.model`.

    Args:
        asked: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, or `runs:/ID/FOLDER`.

    Raises:
        TrackingError: the address is none of these, or the store has no such model, or is out of reach.
    """
    uri = resolve_uri(None)
    path = sqlite_path(uri)
    if path is not None and not path.is_file():
        raise TrackingError(f"there is no MLflow store at {path}; MLFLOW_TRACKING_URI names one that lies elsewhere")
    with store_errors(uri):
        require_answer(uri)
        folder = _download(_location(MlflowClient(uri), asked), uri)
    return folder / "artifacts" if (folder / "MLmodel").is_file() else folder


def _location(client: MlflowClient, asked: str) -> str:
    """Return where the files of a model lie."""
    if asked.startswith("runs:/"):
        run_id, _, folder = asked.removeprefix("runs:/").partition("/")
        return f"{client.get_run(run_id).info.artifact_uri}/{folder or 'model'}"
    match = _VERSION.fullmatch(asked)
    if match is None:
        raise TrackingError(
            f"found {asked!r}; an address in MLflow is models:/NAME@ALIAS, models:/NAME/VERSION or runs:/ID/FOLDER"
        )
    number = match["version"] or client.get_model_version_by_alias(match["name"], match["alias"]).version
    return str(client.get_model_version_download_uri(match["name"], number))


def _download(location: str, uri: str) -> Path:
    """Return a folder on this machine that holds what lies at a location; what a server has is fetched once."""
    if location.startswith(("file:", "/")):
        return Path(artifacts.download_artifacts(artifact_uri=location, tracking_uri=uri))
    kept = DOWNLOADS / digest(location)
    if not kept.is_dir():
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=DOWNLOADS) as folder:
            found = artifacts.download_artifacts(artifact_uri=location, tracking_uri=uri, dst_path=folder)
            Path(found).rename(kept)
    return kept
