import logging
from pathlib import Path

import pytest

from nextchapter.stages.command import LOGGER, Job, StageError, execute

SECRETS = {"MLFLOW_TRACKING_TOKEN": "hunter2", "MLFLOW_TRACKING_URI": "https://me:swordfish@host/mlflow"}


def _refused(job: Job) -> None:
    LOGGER.info("asking https://me:swordfish@host/mlflow?key=1")
    raise StageError("no entry for Bearer hunter2")


def _broken(job: Job) -> None:
    logging.getLogger("nextchapter.tracking.publisher").warning("the header is %r", "Bearer hunter2")
    raise RuntimeError("Invalid header 'Bearer hunter2' for https://me:swordfish@host/a?b=c")


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (_refused, ["asking https://host/mlflow?***", "no entry for Bearer ***"]),
        (_broken, ["the header is 'Bearer ***'", "RuntimeError: Invalid header 'Bearer ***' for https://host/a?***"]),
    ],
)
def test_neither_a_message_nor_a_traceback_tells_a_secret(
    work: object, told: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert execute(work, [], ["record"], ["--record", "a.json", "--log", "a.log"]) == 1
    for text in (capsys.readouterr().err, Path("a.log").read_text()):
        assert [line for line in told if line in text] == told
        assert "hunter2" not in text
        assert "swordfish" not in text
