from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, UNAUTHENTICATED

from nextchapter.tracking.address import TrackingError, resolve_uri
from nextchapter.tracking.store import ensure_experiment, store_errors


@pytest.mark.parametrize(
    ("code", "told"),
    [(UNAUTHENTICATED, "wrong user or password; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD give them"),
     (PERMISSION_DENIED, "this user may not write to the study's experiment; whoever runs the server can allow it")],
)  # fmt: skip
def test_a_server_s_refusal_is_told_in_words_to_act_on(code: int, told: str) -> None:
    with pytest.raises(TrackingError) as failure, store_errors("http://jane:hunter2@team:5000/"):
        raise MlflowException("API request failed with error code 4xx", error_code=code)
    assert str(failure.value) == f"http://team:5000/: {told}"


def test_of_two_machines_that_create_an_experiment_both_get_it(
    tracked_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure_experiment("austen", resolve_uri(None))
    look_up, answers = MlflowClient.get_experiment_by_name, [None]

    def look_up_too_early(client: MlflowClient, name: str) -> Any:
        return answers.pop() if answers else look_up(client, name)

    monkeypatch.setattr(MlflowClient, "get_experiment_by_name", look_up_too_early)
    assert ensure_experiment("austen", resolve_uri(None)).experiment_id == first.experiment_id
    assert answers == []


def test_all_runs_are_found_page_by_page(tracked_project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment, search = ensure_experiment("austen", resolve_uri(None)), MlflowClient.search_runs

    def search_two(client: MlflowClient, ids: list[str], condition: str, **more: Any) -> Any:
        return search(client, ids, condition, max_results=2, **more)

    monkeypatch.setattr(MlflowClient, "search_runs", search_two)
    for number in range(5):
        experiment.create_run(f"run {number}", 1000 + number, {})
    names = [run.info.run_name for run in experiment.find_runs("tags.`nextchapter.kind` = 'run'")]
    assert names == [f"run {number}" for number in reversed(range(5))]
