"""The tiny study through a real SLURM, disturbed: it ends in the bytes of one that ran here without a disturbance."""

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOKENS = ["tokens/tiny/tokenizer.model", "tokens/tiny/train.bin"]
RUNS = [f"runs/{run}/{name}" for run in ("elman.s1", "lstm.s1") for name in ("metrics.json", "chapter.md")]
MODELS = [f"runs/{run}/model.safetensors" for run in ("elman.s1", "lstm.s1")]
PROFILES = {
    "slurm": ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"],
    "generic": [],
}
"""What each profile is told of this cluster, which has no accounting."""


def call_of(profile: str, project: Any, targets: list[str]) -> list[str]:
    told = [*PROFILES[profile], "--seconds-between-status-checks", "1", "--config", f"books={project.books}"]
    return [*project.files(targets), "--workflow-profile", f"profiles/{profile}", *told]


def resumed(project: Any, run: str) -> bool:
    log = project.folder / "logs/train_model" / project.results.name / f"{run}.log"
    return "resumes from step" in log.read_text(encoding="utf-8")


def assert_same_bytes(project: Any, undisturbed: Any, names: list[str]) -> None:
    for name in names:
        assert (project.results / name).read_bytes() == (undisturbed.results / name).read_bytes(), name


def test_slurm_interrupted_then_a_job_cancelled_then_a_node_lost(
    slurm: Any, undisturbed: Any, cluster_project: Any, freeze_training: Callable[..., tuple[str, int]]
) -> None:
    project = cluster_project
    profile = project.folder / "profiles/slurm/profile.yaml"
    profile.write_text(re.sub("^#   (gpu: 1|slurm_partition: gpu)", r"    \1", profile.read_text(), flags=re.MULTILINE))
    with project.start(*call_of("slurm", project, ["leaderboard.csv"])) as snakemake:
        _, interrupted = freeze_training(project, snakemake)
        snakemake.send_signal(signal.SIGINT)
        slurm.wait_for_state(interrupted, "CANCELLED")
        output, _ = snakemake.communicate()
    assert snakemake.returncode == 1, output
    assert [job for job in slurm.jobs().values() if job["JobState"] in ("PENDING", "RUNNING")] == []

    with project.start(*call_of("slurm", project, ["leaderboard.csv"])) as snakemake:
        first_run, cancelled = freeze_training(project, snakemake)
        asked = slurm.jobs()[cancelled]
        slurm.call("scancel", str(cancelled))
        slurm.wait_for_state(cancelled, "CANCELLED")

        second_run, lost = freeze_training(project, snakemake)
        slurm.call("scontrol", "update", f"nodename={slurm.host}", "state=down", "reason=test")
        slurm.wait_for_state(lost, "PENDING")
        slurm.call("scontrol", "update", f"nodename={slurm.host}", "state=resume")
        output, _ = snakemake.communicate()
    assert snakemake.returncode == 0, output
    assert (asked["Partition"], asked["TimeLimit"], asked["MinMemoryNode"]) == ("gpu", "08:00:00", "8000M")
    assert asked["TresPerJob"] == "gres:gpu:1"
    assert slurm.jobs()[lost]["Restarts"] == "1"
    assert [job["TimeLimit"] for job in slurm.jobs().values()].count("16:00:00") == 1  # a second try asks for more
    assert resumed(project, first_run)
    assert resumed(project, second_run)
    assert_same_bytes(project, undisturbed, TOKENS + MODELS + RUNS)
    assert len((project.results / "leaderboard.csv").read_text().splitlines()) == 3
    logs = {path.stem for path in (project.folder / "logs/slurm").rglob("*.log")}
    assert logs == {str(interrupted), str(cancelled)}  # kept for a job that failed, removed for one that did not
    jobs = [job["Comment"] for job in slurm.jobs().values()]
    assert jobs.count("rule_judge_evaluate_model_examine_chapter_write_chapter") == 1  # both runs, in one job


def test_any_other_queue_by_its_commands(
    slurm: Any, undisturbed: Any, cluster_project: Any, freeze_training: Callable[..., tuple[str, int]]
) -> None:
    project = cluster_project
    with project.start(*call_of("generic", project, MODELS)) as snakemake:
        run, cancelled = freeze_training(project, snakemake)
        slurm.call("scancel", str(cancelled))
        slurm.wait_for_state(cancelled, "CANCELLED")
        output, _ = snakemake.communicate()
    assert snakemake.returncode == 0, output
    assert resumed(project, run)
    assert_same_bytes(project, undisturbed, TOKENS + MODELS)


@pytest.mark.parametrize(
    ("state", "told"),
    [("COMPLETED", "success"), ("RUNNING", "running"), ("PENDING", "running"), ("TIMEOUT", "failed")],
)
def test_the_status_of_a_job_in_the_words_of_the_plugin(
    slurm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, told: str
) -> None:
    stand_in = tmp_path / "scontrol"
    stand_in.write_text(f"#!/bin/sh\necho 'JobId=7 JobName=x JobState={state} Reason=None'\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert slurm.call("bash", "profiles/generic/status.sh", "7") == told


def test_a_job_that_the_controller_has_forgotten_has_failed(slurm: Any) -> None:
    assert slurm.call("bash", "profiles/generic/status.sh", "999999") == "failed"
