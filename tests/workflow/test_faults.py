"""Killed in the middle, and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAME = ["tokens/tiny/tokenizer.model", "tokens/tiny/train.bin", "tokens/tiny/test.bin"]
SAME += [
    f"runs/{run}/{name}"
    for run in ("elman.s1", "lstm.s1")
    for name in ("model.safetensors", "metrics.json", "chapter.md")
]


def _wait_for(condition: Callable[[], Any], seconds: float = 120.0) -> None:
    """Return as soon as the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _processes(of: Path, stage: str) -> list[int]:
    """Return the processes that run a stage in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
            if f"nextchapter.stages.{stage}" in command and (entry / "cwd").resolve() == of and "bash" not in command:
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def _longer(project: Any) -> None:
    """Give the run steps enough to be met in the middle."""
    from copy import deepcopy

    import yaml

    path = project.folder / "config/config.yaml"
    config = deepcopy(yaml.safe_load(path.read_text()))
    config["training"] |= {"max_steps": 300, "valid_every_steps": 100, "checkpoint_every_s": 0.1}
    path.write_text(yaml.safe_dump(config, allow_unicode=True))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("accident", ["snakemake and its jobs", "snakemake alone", "asked to stop"])
def test_stopped_in_the_middle_of_training_then_again_ends_in_the_same_bytes(
    finished_longer: Any, make_project: Callable[[], Any], accident: str
) -> None:
    project = make_project()
    _longer(project)
    checkpoint = project.folder / ".work/train_model" / project.results.name / "lstm.s1/checkpoint.pt"
    call = ("--cores", "2", "--books", str(project.books), "--", "--until", "evaluate_model", "write_chapter")
    process = project.start(*call, module="nextchapter.launch", start_new_session=True)
    _wait_for(checkpoint.is_file)
    snakemakes = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    if accident == "asked to stop":
        process.terminate()
    elif accident == "snakemake and its jobs":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        for pid in [*snakemakes, process.pid]:
            os.kill(int(pid), signal.SIGKILL)
    output, _ = process.communicate()
    if accident == "asked to stop":
        assert process.returncode == 128 + signal.SIGTERM, output
        assert "stopped; what is finished is kept" in output
        assert not _processes(project.folder, "train_model")
        assert not list(project.folder.rglob("*.part"))
    with project.start(*call, module="nextchapter.launch") as again:
        output, _ = again.communicate()
    assert again.returncode == 0, output
    assert ("left over from a call that was killed" in output) == (accident != "asked to stop")
    log = (project.folder / "logs/train_model" / project.results.name / "lstm.s1.log").read_text()
    assert "resumes from step" in log
    for name in SAME:
        assert (project.results / name).read_bytes() == (finished_longer.results / name).read_bytes(), name
    assert not _processes(project.folder, "train_model")


def test_damaged_files_are_told_and_made_again_by_the_same_call(finished_longer: Any) -> None:
    project, before = finished_longer, {name: (finished_longer.results / name).read_bytes() for name in SAME}
    flipped, cut, edited = ("tokens/tiny/test.bin", "runs/elman.s1/metrics.json", "runs/lstm.s1/chapter.md")
    content = bytearray(before[flipped])
    content[7] ^= 1
    times = (project.results / flipped).stat()
    (project.results / flipped).write_bytes(content)
    os.utime(project.results / flipped, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a disk that fails does it
    (project.results / cut).write_bytes(before[cut][:100])
    (project.results / edited).write_bytes(before[edited] + b"My own last line.\n")
    call = ("--cores", "2", "--books", str(project.books), "--", "--until", "evaluate_model", "write_chapter")
    with project.start(*call, module="nextchapter.launch") as again:
        output, _ = again.communicate()
    assert again.returncode == 0, output
    for name in (flipped, cut, edited):
        assert f"{project.results.relative_to(project.folder) / name}: it" in output
    assert {name: (project.results / name).read_bytes() for name in SAME} == before
    kept = project.folder / ".work/damaged" / project.results.relative_to(project.folder) / edited
    assert kept.read_bytes().endswith(b"My own last line.\n")


@pytest.fixture(scope="module")
def finished_longer(tmp_path_factory: pytest.TempPathFactory, finished: Any) -> Any:
    """Return a project whose longer study was run without a disturbance."""
    project = type(finished)(tmp_path_factory.mktemp("longer") / "project")
    _longer(project)
    code, output = project.snakemake("--until", "evaluate_model", "write_chapter")
    assert code == 0, output
    return project


def test_a_lock_left_behind_is_cleared_by_the_command_that_snakemake_names(make_project: Callable[[], Any]) -> None:
    with make_project().start("--unlock") as call:
        output, _ = call.communicate()
    assert call.returncode == 0, output
    assert "Unlocked working directory" in output


def test_a_second_make_run_beside_the_first_is_refused(make_project: Callable[[], Any]) -> None:
    from filelock import FileLock

    project = make_project()
    (project.folder / ".work").mkdir()
    with (
        FileLock(project.folder / ".work/launch.lock"),
        project.start("--cores", "1", module="nextchapter.launch") as call,
    ):
        output, _ = call.communicate()
    assert call.returncode == 1
    assert "another `make run` is at work" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_is_told_and_nothing_finished_is_lost(make_project: Callable[[], Any]) -> None:
    project = make_project()
    code, output = project.snakemake("--until", "encode_corpus")
    assert code == 0, output
    for folder in (project.folder / ".work/train_model", project.results / "runs"):
        folder.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)], check=True)
        try:
            code, output = project.snakemake("--until", "train_model")
            assert code == 1
            assert "the disk is full" in output
            assert "Traceback" not in output
            assert not list(folder.rglob("*.part"))
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    code, output = project.snakemake("--until", "train_model")
    assert code == 0, output
    assert len(list((project.results / "runs").glob("*/model.safetensors"))) == 2
