import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nextchapter.stages.write_report import main


def test_the_page_is_written_twice_alike(
    reported_study: Callable[..., tuple[Path, dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study, spec = reported_study(gradients=True, recurrent=["elman-384.s1", "gru-384.s1", "lstm-384.s1"])
    for name in ("a", "b"):
        assert main(["--spec", json.dumps(spec), "--results", str(study), "--html", f"{tmp_path}/{name}.html"]) == 0
    html = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert html == (tmp_path / "b.html").read_text(encoding="utf-8")
    assert str(tmp_path) not in html
    assert html.count("<figure>") == 7 + 4 + 3 * 2 + 3  # of all studies, of the lab, units, networks
