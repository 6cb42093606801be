"""What a person sees of a study on the server's page, in a headless Chromium; each view leaves a screenshot."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from nextchapter.report.figures import family_colours
from nextchapter.tracking.runs import publish_run, read_contents
from nextchapter.tracking.store import ensure_experiment
from nextchapter.tracking.studies import publish_study, read_leaderboard
from nextchapter.tracking.ui import page

FILES = {
    "provenance": "run.json", "events": "events.jsonl", "metrics": "metrics.json", "model": "model.safetensors",
    "chapter": "chapter.md", "chapter_facts": "chapter.json", "predictions": "predictions.csv", "blocks": "blocks.csv",
    "profile": "profile.json", "examination": "examination.json", "figures": "network.png", "tokens": "run.json",
}  # fmt: skip
RUNS = {"lstm-384.s1": 2.08, "gru-384.s1": 2.11, "elman-384.s1": 2.31}
"""Best first, with bits per character; see `results_tree`."""
CHART = "[...document.querySelectorAll('.scatterlayer path.js-line')].some(line => line.getTotalLength() > 50)"
PICTURE = "[...document.querySelectorAll('img')].some(image => image.naturalWidth === 40 && image.naturalHeight === 30)"


@pytest.fixture
def study(
    reported_study: Callable[..., tuple[Path, dict[str, Any]]],
    server: Any,
    user: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """Publish a study of three runs; return the ids of its runs by name, and of its experiment as `study`."""
    import matplotlib.image
    import numpy as np

    monkeypatch.chdir(tmp_path)
    folder, _ = reported_study(tmp_path.name)  # of its own: studies of one name share an experiment
    experiment, ids = ensure_experiment(folder.name, server.address), {}
    for run in RUNS:
        matplotlib.image.imsave(folder / "runs" / run / "network.png", np.random.default_rng(0).random((30, 40, 3)))
        files = {name: [folder / "runs" / run / file] for name, file in FILES.items()}
        ids[run] = publish_run(experiment, read_contents({**files, "tokenizer_model": []}))
    publish_study(experiment, read_leaderboard(folder / "leaderboard.csv"), {"": [folder / "next-chapter.md"]})
    return {**ids, "study": experiment.experiment_id}


@pytest.fixture
def visitor(tab: Any, credentials: dict[str, str]) -> Any:
    """Return a tab that is logged in, without MLflow's assistant before the page."""
    login = f"{credentials['MLFLOW_TRACKING_USERNAME']}:{credentials['MLFLOW_TRACKING_PASSWORD']}"
    header = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    tab.call("Network.setExtraHTTPHeaders", headers=header)
    seen = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=f"if (location.host) {seen}")
    return tab


def visit(visitor: Any, address: str) -> None:
    """Load a page anew: MLflow's looks at the file in its address when it is loaded, not when that changes."""
    visitor.open("about:blank")
    visitor.open(address)


def shows(text: str) -> str:
    """Return the condition that a text is seen on the page."""
    return f"document.body.innerText.includes({json.dumps(text)})"


def test_the_page_shows_runs_curves_chapter_and_figures(
    study: dict[str, str], server: Any, visitor: Any, tmp_path: Path
) -> None:
    champion = f"{server.address}/#/experiments/{study['study']}/runs/{study['lstm-384.s1']}"

    visit(visitor, page(server.address, study["study"]))
    visitor.wait_for(shows("3 matching runs"))
    visitor.screenshot(tmp_path / "runs.png")
    seen = visitor.evaluate("document.body.innerText").splitlines()
    assert [line for line in seen if line in RUNS] == list(RUNS)
    assert [line for line in seen if line in map(str, RUNS.values())] == list(map(str, RUNS.values()))
    assert family_colours([])["lstm"] in seen

    visit(visitor, f"{champion}/model-metrics?workflowType=machine_learning")
    visitor.wait_for("document.querySelector('input[placeholder=\"Search metric charts\"]') !== null")
    visitor.evaluate("document.querySelector('input[placeholder=\"Search metric charts\"]').focus()")
    visitor.write("train/loss_nats")
    visitor.wait_for(CHART)
    visitor.screenshot(tmp_path / "curves.png")

    visit(visitor, f"{champion}/artifacts/chapter/chapter.md?workflowType=machine_learning")
    visitor.wait_for(shows("Captain Wentworth was not in the room"))
    visitor.screenshot(tmp_path / "chapter.png")

    visit(visitor, f"{champion}/artifacts/figures/network.png?workflowType=machine_learning")
    visitor.wait_for(PICTURE)
    visitor.screenshot(tmp_path / "figure.png")
    assert visitor.errors == []


def test_runs_are_found_by_tag_and_compared_in_pairs(
    study: dict[str, str], server: Any, visitor: Any, tmp_path: Path
) -> None:
    champion = quote("tags.champion = 'true'")
    visit(
        visitor,
        f"{server.address}/#/experiments/{study['study']}/runs?workflowType=machine_learning&searchFilter={champion}"
        f"&orderByKey={quote('metrics.`test/bits_per_character`')}",
    )
    visitor.wait_for(shows("1 matching run"))
    visitor.screenshot(tmp_path / "champion.png")
    assert [line for line in visitor.evaluate("document.body.innerText").splitlines() if line in RUNS] == [
        "lstm-384.s1"
    ]

    pair, experiment = [study["lstm-384.s1"], study["gru-384.s1"]], [study["study"]]
    asked = f"runs={quote(json.dumps(pair))}&experiments={quote(json.dumps(experiment))}"
    visit(visitor, f"{server.address}/#/compare-runs?{asked}")
    visitor.wait_for(shows("test/bits_per_character"))
    visitor.screenshot(tmp_path / "compare.png")
    seen = visitor.evaluate("document.body.innerText")
    assert "Comparing 2 Runs" in seen
    assert {"2.08", "2.11"} <= set(seen.split())
