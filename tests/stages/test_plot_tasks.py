import io
import json
from pathlib import Path

import pandas as pd

from nextchapter.stages.plot_tasks import main

TRIAL = {
    "length": 20, "learning_rate": 0.01, "steps": 100, "error": 0.002, "passed": True, "diverged": False,
    "clipped_share": 0.5, "limit": 0.01, "chance": 0.75,
}  # fmt: skip


def _run(records: list[Path], folder: Path) -> dict[str, bytes]:
    outputs = {kind: folder / f"tasks.{kind}" for kind in ("csv", "svg", "png", "html")}
    files = [part for kind, path in outputs.items() for part in (f"--{kind}", str(path))]
    assert main(["--records", *map(str, records), *files]) == 0
    return {kind: path.read_bytes() for kind, path in outputs.items()}


def test_records_become_a_table_a_figure_and_a_page_with_the_same_bytes_again(tmp_path: Path) -> None:
    records = []
    for network in ("tanh", "lstm"):
        records.append(tmp_path / f"{network}.json")
        failed = {**TRIAL, "length": 50, "passed": False, "error": 0.7, "steps": 600}
        trials = [TRIAL, failed] if network == "tanh" else [TRIAL]
        records[-1].write_text(json.dumps({"task": "temporal_order", "network": network, "trials": trials}))
    made = _run(records, tmp_path / "a")
    assert made == _run(records, tmp_path / "b")
    table = pd.read_csv(io.BytesIO(made["csv"]))
    assert table[["network", "reached"]].to_numpy().tolist() == [["tanh", 20], ["lstm", 20]]
    assert b"Temporal order" in made["html"]
