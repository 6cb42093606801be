import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from nextchapter.stages.track_embedding import main

FOLDER = Path("results/austen/embeddings/glove")
SCORES = {
    "wordsim353": {"spearman": 0.25, "pairs": 353, "covered_share": 0.5},
    "questions-words": {"accuracy": None, "questions": 10, "covered_share": 0.0},
}


@pytest.fixture
def glove(tracked_project: Path) -> Path:
    FOLDER.mkdir(parents=True)
    for file in ("vectors.safetensors", "vectors.txt", "vocabulary.json", "neighbours.csv", "map.png"):
        (FOLDER / file).write_bytes(b"content")
    (FOLDER / "scores.json").write_text(json.dumps(SCORES))
    _write_facts(epochs=2)
    return FOLDER


def _write_facts(epochs: int) -> None:
    spec = {"kind": "glove", "tokenizer": "unigram-2k", "dimensions": 8, "epochs": epochs}
    facts = {"spec": spec, "tokens_with_vector": 90, "vocabulary_size": 100, "loss_per_epoch": [0.5, 0.25]}
    (FOLDER / "embedding.json").write_text(json.dumps(facts))


def _track(uri: str | None = None) -> dict[str, str]:
    files = {"embedding": "embedding.json", "scores": "scores.json", "vectors": "vectors.safetensors"}
    argv = [part for name, file in files.items() for part in (f"--{name}", str(FOLDER / file))]
    argv += ["--texts", *(str(FOLDER / file) for file in ("vectors.txt", "vocabulary.json", "neighbours.csv"))]
    argv += ["--figures", str(FOLDER / "map.png"), "--record", str(FOLDER / "mlflow.json")]
    spec = {"study": "austen", "run": "glove", "uri": uri, "failed_attempts": 0}
    assert main(["--spec", json.dumps(spec), *argv]) == 0
    return json.loads((FOLDER / "mlflow.json").read_text())


def test_an_embedding_is_a_run_with_its_scores_figure_and_vectors(glove: Path) -> None:
    record = _track()
    client = MlflowClient(record["tracking_uri"])
    run = client.get_run(record["run_id"])
    assert run.info.run_name == "glove"
    assert run.data.params["dimensions"] == "8"
    assert run.data.metrics["intrinsic/wordsim353_spearman"] == 0.25
    assert "intrinsic/questions-words_accuracy" not in run.data.metrics
    assert [(one.step, one.value) for one in client.get_metric_history(record["run_id"], "train/loss")] == [
        (1, 0.5), (2, 0.25),
    ]  # fmt: skip
    assert [file.path for file in client.list_artifacts(record["run_id"], "figures")] == ["figures/map.png"]
    assert "vectors/vectors.txt" in [file.path for file in client.list_artifacts(record["run_id"], "vectors")]
    assert "90 of 100 tokens" in run.data.tags["mlflow.note.content"]


def test_a_second_call_changes_nothing_and_another_specification_supersedes(glove: Path) -> None:
    first = _track()
    assert _track() == first
    _write_facts(epochs=3)
    second = _track()
    client = MlflowClient(first["tracking_uri"])
    assert second["run_id"] != first["run_id"]
    superseded = [client.get_run(one["run_id"]).data.tags["nextchapter.superseded"] for one in (first, second)]
    assert superseded == ["true", "false"]


def test_the_view_that_people_get_shows_the_embedding_that_holds_and_not_the_study_itself(glove: Path) -> None:
    first = _track()
    _write_facts(epochs=3)
    second = _track()
    client = MlflowClient(first["tracking_uri"])
    experiment = client.get_experiment(first["experiment_id"])
    (view,) = [json.loads(value) for key, value in experiment.tags.items() if key.startswith("mlflow.sharedViewState.")]
    assert "metrics.`intrinsic/wordsim353_spearman`" in view["selectedColumns"]

    def shown() -> list[str]:
        return [run.info.run_id for run in client.search_runs([first["experiment_id"]], view["searchFilter"])]

    assert shown() == [second["run_id"]]
    _write_facts(epochs=2)
    assert _track()["run_id"] == first["run_id"]
    assert shown() == [first["run_id"]]


def test_a_store_out_of_reach_is_a_warning(glove: Path) -> None:
    record = _track(uri="sqlite:////proc/none/mlflow.db")
    assert record["published"] is False
