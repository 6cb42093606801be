"""Eight trainings, each in a folder of its own as on eight machines, write to one server at once."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

WRITERS, METRICS = 8, 10_000
PROGRAM = Path(__file__).with_name("writer.py")
IN_THE_DATABASE = """
    SELECT runs.name, key, value, timestamp, step FROM metrics JOIN runs USING (run_uuid)
    JOIN experiments USING (experiment_id) WHERE experiments.name = 'at once' AND runs.lifecycle_stage = 'active'
"""


def test_eight_writers_at_once_lose_nothing_and_double_nothing(
    server: Any, postgres: Any, user: dict[str, str], tmp_path: Path
) -> None:
    folders = {f"writer-{number}": tmp_path / str(number) for number in range(WRITERS)}
    processes = []
    for name, folder in folders.items():
        folder.mkdir()
        command = [sys.executable, str(PROGRAM), server.address, name, str(METRICS)]
        processes.append(subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True))
    times = [[float(at) for at in process.communicate()[0].split()] for process in processes]
    assert [process.returncode for process in processes] == [0] * WRITERS

    held = Counter(postgres.rows(IN_THE_DATABASE))
    expected = Counter(point for name, folder in folders.items() for point in points_of_file(name, folder))
    assert held.total() == WRITERS * METRICS
    assert held == expected
    assert postgres.rows("SELECT count(*) FROM experiments WHERE name = 'at once'") == [(1,)]
    took_s = max(end for _, end in times) - min(began for began, _ in times)
    print(
        f"\n{WRITERS} writers: {WRITERS * METRICS:,} metrics in {took_s:.1f} s, {held.total() / took_s:,.0f} a second"
    )


def points_of_file(name: str, folder: Path) -> list[tuple[str, str, float, int, int]]:
    """Return what the database must hold of a writer, read from its events by other means than ours."""
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return [
        (name, key, value, round(event["time"] * 1000), event["step"])
        for event in events
        for key, value in event.get("metrics", {}).items()
    ]
