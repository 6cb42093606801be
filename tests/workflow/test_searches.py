"""A search through real Snakemake: planned, not run; its runs are runs like all others."""

from collections.abc import Callable
from typing import Any

SEARCH = {
    "run": {"tokenizer": "tiny", "model": {"kind": "elman", "embedding": 8}},
    "grid": {"model.hidden": [8, 16]},
    "random": {"training.learning_rate": {"log_uniform": [0.001, 0.1]}},
    "draws": 2,
    "max_tokens": 40_000,
}


def test_a_search_is_planned_as_runs_with_a_table_and_a_figure(make_project: Callable[[], Any]) -> None:
    project = make_project()
    project.configure(searches={"sizes": SEARCH}, runs={})
    jobs = project.planned()
    points = [f"sizes.{place}-{draw:03d}.s1" for place in (1, 2) for draw in (1, 2)]
    for rule in ("train_model", "evaluate_model", "write_chapter", "draw_network", "track_run"):
        assert [job for job in jobs if job.startswith(rule)] == [f"{rule} {point}" for point in points]
    assert jobs.count("plot_search") == 1


def test_one_network_on_several_shares_of_the_chapters_is_drawn(make_project: Callable[[], Any]) -> None:
    project = make_project()
    run = {"tokenizer": "tiny", "model": {"kind": "ngram"}}
    project.configure(searches={"ngram": {"run": run, "grid": {"train_share": [0.5, 1]}}}, runs={})
    assert project.planned().count("plot_data_size") == 1
    project.configure(searches={}, runs={"ngram": run})
    assert "plot_data_size" not in project.planned()
