import json
from pathlib import Path
from typing import Any

from nextchapter.spec.tasks import TasksSpec
from nextchapter.stages.train_tasks import main

TASKS = TasksSpec.model_validate(
    {
        "parity": {"lengths": [4], "steps": 150},
        "networks": {"lstm": {"model": {"kind": "lstm"}}},
        "hidden": 8,
        "learning_rates": [1e-6, 0.03],
    }
)


def _run(record: Path) -> dict[str, Any]:
    spec = json.dumps(TASKS.trials_of("parity", "lstm"))
    assert main(["--spec", spec, "--record", str(record)]) == 0
    return json.loads(record.read_text())


def test_each_rate_is_tried_until_one_passes_and_the_record_has_the_same_bytes_again(tmp_path: Path) -> None:
    record = _run(tmp_path / "a.json")
    assert (record["task"], record["network"]) == ("parity", "lstm")
    tried = [(trial["length"], trial["learning_rate"], trial["passed"]) for trial in record["trials"]]
    assert tried == [(4, 1e-6, False), (4, 0.03, True)]
    assert {(trial["limit"], trial["chance"]) for trial in record["trials"]} == {(0.1, 0.5)}
    _run(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
