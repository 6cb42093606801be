import json
from pathlib import Path

import pytest

from nextchapter.spec.redaction import public_address
from nextchapter.tracking.address import configured_uri, public_reason, public_uri, resolve_uri


@pytest.mark.parametrize(
    ("configured", "environment", "expected"),
    [
        (None, None, "sqlite:///{here}/results/mlflow.db"),
        (None, "http://tracking:5000", "http://tracking:5000"),
        ("http://team:5000", "http://tracking:5000", "http://team:5000"),
        ("sqlite:///mine.db", None, "sqlite:///{here}/mine.db"),
        ("sqlite:////srv/mine.db", None, "sqlite:////srv/mine.db"),
    ],
)
def test_the_configuration_comes_before_the_environment(
    configured: str | None, environment: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if environment:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", environment)
    assert resolve_uri(configured) == expected.format(here=tmp_path)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:hunter2@host:5000/mlflow", "https://host:5000/mlflow"),
        ("https://token@host", "https://host"),
        ("postgresql://me:p@ss@db:5432/runs?password=hunter2", "postgresql://db:5432/runs"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("sqlite:////home/m@e/results/mlflow.db", "sqlite:////home/m@e/results/mlflow.db"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(uri: str, shown: str) -> None:
    assert public_uri(uri) == shown


@pytest.mark.parametrize("whole", ["postgresql://me:hunter2@db/runs?password=hunter2", "https://me:hunter2@host"])
def test_the_whole_address_comes_by_the_environment(whole: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = public_address(whole)
    monkeypatch.delenv("NEXTCHAPTER_TRACKING", raising=False)
    assert configured_uri(shown) == shown
    monkeypatch.setenv("NEXTCHAPTER_TRACKING", json.dumps({"uri": whole}))
    assert configured_uri(shown) == whole
    assert configured_uri("https://another") == "https://another"
    assert configured_uri(None) is None


def test_a_reason_is_one_line_without_the_password() -> None:
    error = OSError("no route to https://me:hunter2@host/health\n(user me, password hunter2)")
    assert public_reason(error, "https://me:hunter2@host") == "no route to https://host/health"
    assert public_reason(OSError("hunter2?"), "https://me:hunter2@host") == "***?"
    assert public_reason(TimeoutError(), "https://host") == "TimeoutError"
    assert public_reason(OSError("no /health (Caused by Refused('port 9'))"), "https://host") == "Refused('port 9')"
