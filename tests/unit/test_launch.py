import os
from pathlib import Path

import pytest

from nextchapter import launch
from nextchapter.flow import STUDY_FILE
from nextchapter.store.checksums import record_checksum

RESULTS = Path("results/mine")


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The arguments of each call of Snakemake; a study lies in the current folder, as such a call leaves it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(STUDY_FILE, "")
    for name in ("leaderboard.csv", "chapters.html", "figures/losses.svg", "snakemake-report.html"):
        (RESULTS / name).parent.mkdir(parents=True, exist_ok=True)
        (RESULTS / name).write_text(name)
        os.utime(RESULTS / name, (1, 1))
    launch.WORK.mkdir()
    called: list[tuple[str, ...]] = []

    def call(_: object, *arguments: str, cores: str = "") -> int:
        del cores
        called.append(arguments)
        Path(os.environ[STUDY_FILE]).write_text(RESULTS.name)
        return 0

    monkeypatch.setattr(launch._Workflow, "_snakemake", call)
    monkeypatch.setattr(launch._Workflow, "_list_outputs", lambda _: {str(RESULTS / "leaderboard.csv")})
    monkeypatch.setattr(launch, "summarise_study", lambda *_, **__: "")
    return called


def test_the_report_is_written_anew_when_a_figure_in_it_is(calls: list[tuple[str, ...]]) -> None:
    workflow = launch._Workflow("1", [], 0)
    assert workflow.run(report_only=False) == 0
    assert calls == [()]
    os.utime(RESULTS / "figures/losses.svg", (2, 2))
    assert workflow.run(report_only=False) == 0
    assert calls[2:] == [("--report", str(RESULTS / "snakemake-report.html"), "--quiet", "all")]


@pytest.mark.parametrize("option", ["-n", "--dry-run", "--dryrun", "-np"])
def test_a_dry_run_changes_nothing(option: str, calls: list[tuple[str, ...]]) -> None:
    leaderboard = RESULTS / "leaderboard.csv"
    record_checksum(leaderboard)
    leaderboard.write_text("changed since")
    assert launch._Workflow("1", [option], 0).run(report_only=False) == 0
    assert leaderboard.read_text() == "changed since"
    assert calls == [()]


@pytest.mark.parametrize("option", ["--config", "-C"])
def test_a_folder_of_books_joins_what_else_is_configured(option: str) -> None:
    more = ["-k", option, "study=mine"]
    assert launch._with_books(more, "a b") == ["-k", option, "books=a b", "study=mine"]
    assert launch._with_books(["-k"], "a b") == ["-k", "--config", "books=a b"]
