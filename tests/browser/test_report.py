"""The report of a study as a browser shows it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nextchapter.stages.write_report import main

RUNS = ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]
_OPEN_ALL = "document.querySelectorAll('details').forEach(part => { part.open = true; })"
_LOADED = "Promise.all([...document.images].map(image => image.decode().then(() => image.naturalWidth)))"
_TOO_WIDE = """[...document.querySelectorAll('main *')].filter(part => part.getBoundingClientRect().right
  > document.documentElement.clientWidth + 1 && !part.closest('.scroll')).map(part => part.outerHTML.slice(0, 120))"""


@pytest.fixture
def report(reported_study: Callable[..., tuple[Path, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of a report with all its parts."""
    study, spec = reported_study(
        title="Donaudampfschiffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
        gradients=True, recurrent=RUNS, states=RUNS[:1], memory=True, exposure=True,
        tasks=["parity/lstm", "parity/tanh"],
    )  # fmt: skip
    monkeypatch.chdir(study)
    assert main(["--spec", json.dumps(spec), "--results", str(study), "--html", str(study / "report/index.html")]) == 0
    return (study / "report/index.html").as_uri()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_figure_loads_and_nothing_is_wider_than_the_screen(tab: Any, report: str, width: int) -> None:
    tab.open(report, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.evaluate(_OPEN_ALL)
    widths = tab.evaluate(_LOADED)
    assert len(widths) > 20
    assert min(widths) > 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate(_TOO_WIDE) == []
    assert tab.evaluate("document.querySelector('nav').offsetHeight > 0") == (width == 1280)
    assert not tab.errors
    assert tab.requests[0] == report
    assert all(address.startswith("data:") for address in tab.requests[1:])
