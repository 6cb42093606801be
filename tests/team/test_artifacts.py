"""Files of a run in S3, through the server: the clients need no key of S3."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from nextchapter.tracking.store import ensure_experiment

KEYS = {"AWS_ACCESS_KEY_ID": "team", "AWS_SECRET_ACCESS_KEY": "team", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def s3_address(tmp_path: Path) -> Iterator[str]:
    """Yield the address of moto's S3."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (tmp_path / "moto.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        yield f"http://127.0.0.1:{port}"
        server.terminate()


def test_files_lie_in_s3_and_come_back(
    s3_address: str, make_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import boto3
    from botocore.config import Config

    credentials_of = {"aws_access_key_id": "team", "aws_secret_access_key": "team", "region_name": "us-east-1"}
    patient = Config(retries={"total_max_attempts": 20})  # it may not listen yet
    bucket = boto3.resource("s3", endpoint_url=s3_address, config=patient, **credentials_of).Bucket("team")
    bucket.create()
    server = make_server("s3", "s3://team/mlflow", MLFLOW_S3_ENDPOINT_URL=s3_address, **KEYS)
    for name, value in server.add_user("joan").items():
        monkeypatch.setenv(name, value)

    monkeypatch.chdir(tmp_path)
    chapter = tmp_path / "Ночь & день.md"
    chapter.write_bytes(bytes(range(256)) * 5000)
    experiment = ensure_experiment("in S3", server.address)
    run = experiment.create_run("lstm.s1", 1000, {})
    experiment.log_files(run, {"chapter": [chapter]})
    (held,) = bucket.objects.all()
    assert held.key == f"mlflow/{experiment.experiment_id}/{run}/artifacts/chapter/{chapter.name}"
    assert held.get()["Body"].read() == chapter.read_bytes()
    copy = MlflowClient(server.address).download_artifacts(run, f"chapter/{chapter.name}", str(tmp_path / "copy"))
    assert Path(copy).read_bytes() == chapter.read_bytes()
