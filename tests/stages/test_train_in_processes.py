import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nextchapter.models.registry import load_model, weights_of
from nextchapter.stages.train_model import main
from nextchapter.store.events import read_events
from nextchapter.store.files import read_json
from nextchapter.training.checkpoint import read_checkpoint

MODEL = {"kind": "lstm", "hidden": 16, "embedding": 8, "dropout": 0.0}
TRAINING = {"checkpoint_every_s": 0.0, "max_steps": 12, "valid_every_steps": 4}
DYING = """
import os, signal, sys
from pathlib import Path
from nextchapter.models.recurrent import RecurrentLanguageModel as Model
from nextchapter.stages.train_model import main

score, calls = Model.score, []

def dying(self, *arguments):
    if self.training:
        calls.append(1)
        if len(calls) == 1:
            Path(f"pid-{os.environ['RANK']}").write_text(str(os.getpid()))
        if len(calls) == 5 and os.environ["RANK"] == "1":
            victim = {"rank": os.getpid(), "stage": os.getppid()}[os.environ["VICTIM"]]
            os.kill(victim, signal.SIGKILL if os.environ["VICTIM"] == "rank" else signal.SIGTERM)
    return score(self, *arguments)

Model.score = dying

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""
"""The stage whose second process kills itself, or asks the stage to stop, in its fifth step."""


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_what_stops_several_processes_leaves_a_checkpoint_for_any_number_of_them(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of two dies; two go on and are asked to stop; one goes on to the end, as if alone all the time."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dying.py").write_text(DYING)
    steps = []
    for victim, told in (("rank", "of 2 died"), ("stage", "stopped by SIGTERM")):
        command = arguments.train_model(
            small_shelf, tmp_path / "run", model=MODEL, training={**TRAINING, "processes": 2}
        )
        died = subprocess.run(
            [sys.executable, "dying.py", *command, "--threads", "2", "--log", "train.log"],
            env={**os.environ, "VICTIM": victim}, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert died.returncode == 1, died.stderr
        assert told in died.stderr
        assert "Traceback" not in died.stderr
        assert "death signal" not in died.stderr  # the launcher's own words
        assert not [rank for rank in (0, 1) if _is_alive(int((tmp_path / f"pid-{rank}").read_text()))]
        checkpoint = read_checkpoint(Path(".work/train_model/small/lstm.s1/checkpoint.pt"))
        assert checkpoint is not None
        steps.append(checkpoint["counters"]["step"])
        assert f"another call goes on from step {steps[-1]}" in died.stderr
        assert [len(state) for state in checkpoint["state"][0]] == [4, 4]
    assert steps[0] in (4, 5)
    assert steps[1] in (steps[0] + 4, steps[0] + 5)
    assert f"resumes from step {steps[0]} of 12" in (tmp_path / "train.log").read_text()
    for folder, place in (("run", tmp_path), ("whole", tmp_path / "elsewhere")):
        place.mkdir(exist_ok=True)
        monkeypatch.chdir(place)
        assert main(arguments.train_model(small_shelf, tmp_path / folder, model=MODEL, training=TRAINING)) == 0
    resumed = [event["step"] for event in read_events(tmp_path / "run/events.jsonl") if event["event"] == "resume"]
    assert resumed == steps
    weights = [weights_of(load_model(tmp_path / folder / "model.safetensors")) for folder in ("run", "whole")]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(tensor, weights[1][name], atol=2e-6, rtol=0.0)


def test_a_run_of_several_processes_leaves_what_a_run_leaves(
    small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for processes, threads in ((1, 1), (2, 2)):
        folder = tmp_path / f"work-{processes}"  # where the other's checkpoint is not
        folder.mkdir()
        monkeypatch.chdir(folder)
        training = {**TRAINING, "checkpoint_every_s": 1e9, **({"processes": 2} if processes > 1 else {})}
        command = arguments.train_model(small_shelf, tmp_path / str(processes), model=MODEL, training=training)
        assert main([*command, "--threads", str(threads)]) == 0
    one, two = (read_json(tmp_path / name / "run.json") for name in ("1", "2"))
    assert (two["processes"], two["threads"], two["steps"], two["run_key"]) == (2, 1, 12, one["run_key"])
    assert two["valid_nats_per_token"] == pytest.approx(one["valid_nats_per_token"], abs=1e-6)
    logs = [[(e["event"], e["step"]) for e in read_events(tmp_path / name / "events.jsonl")] for name in ("1", "2")]
    assert logs[0] == logs[1]
