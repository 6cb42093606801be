import json
from pathlib import Path
from typing import Any

from nextchapter.spec.tasks import TasksSpec
from nextchapter.stages.train_tasks import main

TASKS = TasksSpec.model_validate(
    {
        "temporal_order": {"lengths": [10, 300], "steps": 150},
        "networks": {"gru": {"model": {"kind": "gru"}}},
        "hidden": 8,
        "learning_rates": [1e-6, 0.03],
    }
)


def _run(record: Path) -> dict[str, Any]:
    spec = json.dumps(TASKS.trials_of("temporal_order", "gru"))
    assert main(["--spec", spec, "--record", str(record)]) == 0
    return json.loads(record.read_text())


def test_a_network_is_tried_at_rising_lengths_and_the_record_has_the_same_bytes_again(tmp_path: Path) -> None:
    record = _run(tmp_path / "a.json")
    assert (record["task"], record["network"]) == ("temporal_order", "gru")
    tried = [(trial["length"], trial["learning_rate"], trial["passed"]) for trial in record["trials"]]
    assert tried == [(10, 1e-6, False), (10, 0.03, True), (300, 1e-6, False), (300, 0.03, False)]
    assert {(trial["limit"], trial["chance"]) for trial in record["trials"]} == {(0.01, 0.75)}
    _run(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
