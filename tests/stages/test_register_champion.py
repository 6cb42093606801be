import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
import requests
import torch
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from nextchapter.cli.runs import RunNotFoundError, find_run
from nextchapter.cli.scoring import score_file
from nextchapter.cli.writing import write_text
from nextchapter.models.registry import build_model, save_model
from nextchapter.spec.writing import WritingSpec, lengths_for
from nextchapter.stages.register_champion import main
from nextchapter.tokens.registry import load_tokenizer
from nextchapter.tracking.address import resolve_uri
from nextchapter.tracking.store import ensure_experiment

RUNS = {"gru.s1": ("gru", 4.2, 2.11), "lstm.s1": ("lstm", 4.1, 2.08)}
STUDY = Path("results/austen")
NAME = "nextchapter-austen"
CHAMPION = f"models:/{NAME}@champion"
TEXT = "The cat sat on a mat — and ran to her."


@pytest.fixture
def study(tracked_project: Path, results_tree: Callable[..., Path], small_shelf: Path) -> Path:
    """Two runs with small networks of random weights, published, and the champion chosen."""
    folder = results_tree(runs=RUNS)
    tokens = folder / "tokens" / "unigram-2k"
    tokens.mkdir(parents=True)
    shutil.copy(small_shelf / "tokenizer.model", tokens)
    size = load_tokenizer(tokens / "tokenizer.model").vocabulary_size
    experiment = ensure_experiment("austen", resolve_uri(None))
    for seed, (run, (kind, _, _)) in enumerate(RUNS.items()):
        torch.manual_seed(seed)
        spec = {"kind": kind, "hidden": 8, "embedding": 8}
        save_model(folder / "runs" / run / "model.safetensors", build_model(spec, size), spec)
        experiment.create_run(run, 1000, {"run_key": provenance(run)["run_key"]})
    totals = {"chapters": 9, "splits": {"train": {"chapters": 7, "characters": 70_000, "words": 12_000}}}
    books = [{"book": "emma", "title": "Emma", "author": "Jane Austen"}]
    (folder / "corpus").mkdir()
    (folder / "corpus" / "account.json").write_text(json.dumps({"books": books, "totals": totals}))
    choose("lstm.s1")
    return folder


def choose(run: str) -> None:
    (STUDY / "champion.json").write_text(json.dumps({"run": run}))


def provenance(run: str) -> dict[str, Any]:
    return json.loads((STUDY / "runs" / run / "run.json").read_text())


def register(uri: str | None = None, licence: str | None = "public domain") -> dict[str, str]:
    of_runs = {
        "models": "model.safetensors", "provenance": "run.json", "metrics": "metrics.json",
        "examinations": "examination.json",
    }  # fmt: skip
    argv = ["--champion", str(STUDY / "champion.json"), "--account", str(STUDY / "corpus/account.json")]
    for name, file in of_runs.items():
        argv += [f"--{name}", *(str(STUDY / "runs" / run / file) for run in RUNS)]
    argv += ["--tokenizers", *[str(STUDY / "tokens/unigram-2k/tokenizer.model")] * 2]
    spec = {"study": "austen", "run": "", "uri": uri, "runs": list(RUNS), "licence": licence}
    assert main(["--spec", json.dumps(spec), *argv, "--record", str(STUDY / "mlflow-model.json")]) == 0
    return json.loads((STUDY / "mlflow-model.json").read_text())


def versions() -> list[ModelVersion]:
    return list(MlflowClient(resolve_uri(None)).search_model_versions(f"name = '{NAME}'"))


def champion() -> ModelVersion:
    return MlflowClient(resolve_uri(None)).get_model_version_by_alias(NAME, "champion")


@pytest.fixture
def tracking_uri(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow's own functions go to the store of the test; what they leave in the environment goes with it."""
    before = mlflow.get_tracking_uri()
    with monkeypatch.context() as patched:
        patched.delenv("MLFLOW_TRACKING_URI", raising=False)
        mlflow.set_tracking_uri(resolve_uri(None))
        yield
        mlflow.set_tracking_uri(before)
        os.environ.pop("MLFLOW_TRACKING_URI", None)


def test_registering_twice_gives_one_version_with_the_alias(study: Path) -> None:
    record = register()
    assert register() == record
    assert (record["name"], record["version"], record["published"]) == (NAME, "1", True)
    assert [version.version for version in versions()] == [champion().version] == [1]
    found = ensure_experiment("austen", resolve_uri(None)).client.get_run(champion().run_id)
    assert found.info.run_name == "lstm.s1"


def test_the_alias_follows_the_champion_there_and_back(study: Path) -> None:
    numbers = []
    for run in ("lstm.s1", "gru.s1", "lstm.s1"):
        choose(run)
        numbers.append(register()["version"])
        assert champion().version == int(numbers[-1])
        assert find_run(CHAMPION).name == run
    assert numbers == ["1", "2", "1"]
    assert len(versions()) == 2


def test_other_weights_are_another_version_and_other_scores_another_card(study: Path) -> None:
    register()
    path = STUDY / "runs/lstm.s1/metrics.json"
    path.write_text(path.read_text().replace("2.08", "2.07"))
    assert register()["version"] == "1"
    assert "2.070" in champion().description
    assert (find_run(CHAMPION).folder / "model-card.md").read_text() == champion().description
    first = find_run(CHAMPION).model
    kept = first.read_bytes()
    shutil.copy(STUDY / "runs/gru.s1/model.safetensors", STUDY / "runs/lstm.s1/model.safetensors")
    assert register()["version"] == "2"
    assert find_run(f"models:/{NAME}/1").model.read_bytes() == first.read_bytes() == kept
    assert find_run(CHAMPION).model.read_bytes() != kept


def test_nothing_is_pickled_and_what_is_needed_is_pinned(study: Path) -> None:
    register()
    folder = find_run(CHAMPION).folder
    files = sorted(path.relative_to(folder.parent).as_posix() for path in folder.parent.rglob("*") if path.is_file())
    assert files == [
        "MLmodel", "artifacts/model-card.md", "artifacts/model.safetensors", "artifacts/run.json",
        "artifacts/tokenizer.model", "conda.yaml", "input_example.json", "python_env.yaml", "requirements.txt",
        "served_model.py", "serving_input_example.json",
    ]  # fmt: skip
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".pt"))]
    assert (folder / "model.safetensors").read_bytes() == (STUDY / "runs/lstm.s1/model.safetensors").read_bytes()
    lines = (folder.parent / "requirements.txt").read_text().splitlines()
    assert all("==" in line and "+" not in line for line in lines)


@pytest.mark.parametrize(("licence", "told"), [("CC BY 4.0", "Of the books: CC BY 4.0."), (None, "is not known")])
def test_the_card_says_what_it_is_and_whose_the_books_are(study: Path, licence: str | None, told: str) -> None:
    register(licence=licence)
    card = champion().description
    for part in ("*Emma* by Jane Austen", "`5a`", "2.059 to 2.103", "at most 7 in a row", told):
        assert part in card


def test_a_loaded_model_writes_and_scores_as_the_command_line_does(study: Path, tracking_uri: None) -> None:
    register()
    model = mlflow.pyfunc.load_model(CHAMPION)
    run = find_run("lstm.s1")
    asked = {"temperature": 0.9, "top_p": 0.8, "words": 30, "seed": 7}
    settings = {"temperature": 0.9, "top_p": 0.8, "words_max": 30, "words_min": 10, "seed": 7}
    written = model.predict(pd.DataFrame({"text": ["The cat", "Fog"]}), params=asked).to_dict("records")
    told = [write_text(run, {**settings, "opening": opening}) for opening in ("The cat", "Fog")]
    assert written == [{key: one[key] for key in ("run", "study", "text", "words")} for one in told]
    assert model.predict(pd.DataFrame({"text": [TEXT]}), {"mode": "score"}).to_dict("records") == [
        score_file(run, TEXT)
    ]


def test_what_a_loaded_model_is_not_asked_has_the_values_of_the_command_line(study: Path, tracking_uri: None) -> None:
    register()
    model = mlflow.pyfunc.load_model(CHAMPION)
    (written,) = model.predict({"text": ["The"]}, params={"words": 20}).to_dict("records")
    assert (
        written["text"] == write_text(find_run("lstm.s1"), {"opening": "The", "words_max": 20, "words_min": 6})["text"]
    )
    defaults = {one.name: one.default for one in model.metadata.signature.params}
    assert lengths_for(defaults["words"]) == {
        "words_max": WritingSpec().words_max,
        "words_min": WritingSpec().words_min,
    }


def test_a_wrong_request_is_told(study: Path, tracking_uri: None) -> None:
    register()
    model = mlflow.pyfunc.load_model(CHAMPION)
    for text, asked, told in (
        ("The", {"mode": "sing"}, "mode: found 'sing'; allowed: write, score"),
        ("The", {"temperature": -1.0}, "temperature: found -1.0"),
        ("", {}, "opening: found ''"),
        ("", {"mode": "score"}, "the text is empty"),
    ):
        with pytest.raises(MlflowException, match=told):
            model.predict({"text": [text]}, params=asked)


def test_the_server_of_mlflow_answers_with_a_chapter_and_a_score(study: Path) -> None:
    register()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", CHAMPION, "--env-manager", "local"]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": resolve_uri(None),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1",
    }  # fmt: skip
    command += ["--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    )
    try:
        address, http = f"http://127.0.0.1:{port}", requests.Session()
        http.trust_env = False
        _wait_until_up(server)
        (written,) = _ask(http, address, "The cat", words=20, seed=3)["predictions"]
        settings = {"opening": "The cat", "words_max": 20, "words_min": 6, "seed": 3}
        assert written["text"] == write_text(find_run("lstm.s1"), settings)["text"]
        assert _ask(http, address, TEXT, mode="score")["predictions"] == [score_file(find_run("lstm.s1"), TEXT)]
        assert "temperature: found -1.0" in _ask(http, address, TEXT, temperature=-1.0)["message"]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=30)


def _wait_until_up(server: "subprocess.Popen[str]") -> None:
    told = []
    for line in server.stdout or ():
        told.append(line)
        if "Uvicorn running on" in line:
            return
    pytest.fail("".join(told))


def _ask(http: requests.Session, address: str, text: str, **params: Any) -> dict[str, Any]:
    answer = http.post(f"{address}/invocations", json={"inputs": [{"text": text}], "params": params}, timeout=60)
    told: dict[str, Any] = answer.json()
    return told


def test_a_run_that_is_not_published_and_a_store_out_of_reach_stop_nothing(study: Path) -> None:
    path = STUDY / "runs/lstm.s1/run.json"
    path.write_text(json.dumps({**provenance("lstm.s1"), "run_key": "another"}))
    record = register()
    assert (record["published"], record["failed_attempts"]) == (False, 1)
    assert "has not been published yet" in record["reason"]
    assert register("http://127.0.0.1:9")["published"] is False


@pytest.mark.parametrize("asked", [CHAMPION, f"models:/{NAME}/1"])
def test_an_address_in_the_registry_is_a_run(study: Path, asked: str) -> None:
    register()
    found = find_run(asked)
    assert (found.name, found.study) == ("lstm.s1", "austen")
    assert score_file(found, TEXT) == score_file(find_run("lstm.s1"), TEXT)


def test_an_address_that_leads_nowhere_is_told(study: Path) -> None:
    register()
    for asked, told in (
        (f"models:/{NAME}", "an address in MLflow is models:/NAME@ALIAS"),
        (f"models:/{NAME}@nobody", "nobody"),
        (f"models:/{NAME}/7", "version=7"),
        ("runs:/0123/model", "0123"),
    ):
        with pytest.raises(RunNotFoundError, match=told):
            find_run(asked)


def test_an_address_without_a_store_is_told_and_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(RunNotFoundError, match="there is no MLflow store at"):
        find_run(CHAMPION)
    assert not (tmp_path / "results").exists()


def test_what_a_server_has_is_fetched_once(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    fetched = []

    def download(artifact_uri: str, tracking_uri: str, dst_path: str) -> str:
        fetched.append(artifact_uri)
        folder = Path(dst_path) / "served-model"
        shutil.copytree(champion().source.removeprefix("file://"), folder)
        return str(folder)

    monkeypatch.setattr(MlflowClient, "get_model_version_download_uri", lambda *_: "mlflow-artifacts:/1/served-model")
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", download)
    assert [find_run(CHAMPION).name for _ in range(2)] == ["lstm.s1", "lstm.s1"]
    assert fetched == ["mlflow-artifacts:/1/served-model"]
    assert [path.name for path in Path(".work/models").iterdir() if path.name.startswith("tmp")] == []
