"""The screen before the first job speaks of the jobs that real Snakemake is about to do."""

from collections.abc import Callable
from typing import Any


def test_the_screen_knows_which_jobs_are_to_come(make_project: Callable[[], Any]) -> None:
    project = make_project()
    code, output = project.snakemake("--until", "clean_books")
    assert code == 0, output
    assert output.count("not this time") == 2
    assert "nothing left to train" in output
