"""Keep what backs the figures of a study: a small text file a run, with its specification, seed, machine and losses.

python benchmarks/record_runs.py results/wikitext-2                    into benchmarks/records/wikitext-2/
python benchmarks/record_runs.py results/wikitext-2 --machine "two cores of an Intel Xeon, 24 GiB"
"""

import argparse
import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nextchapter.store.files import read_json

RECORDS = Path(__file__).parent / "records"
MOST_LINES = 100


def read_losses(path: Path) -> Iterator[dict[str, Any]]:
    """Yield step, tokens, seconds of training and losses of each logged step, in nats a token."""
    tokens_per_s = None
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        metrics = record.get("metrics", {})
        tokens_per_s = metrics.get("system/tokens_per_s", tokens_per_s)  # over all seconds of training so far
        losses = {name: round(value, 5) for name, value in metrics.items() if name.endswith("/loss_nats")}
        if losses:
            train_s = round(record["tokens"] / tokens_per_s, 1) if tokens_per_s else None
            yield {"step": record["step"], "tokens": record["tokens"], "train_s": train_s, **losses}


def thin(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return all validations, and so many of the other lines that there are about `MOST_LINES`."""
    every = max(1, len(records) // MOST_LINES)
    return [record for place, record in enumerate(records) if place % every == 0 or "valid/loss_nats" in record]


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def record_run(run: Path, machine: str, target: Path) -> None:
    """Write the record of one run: what it was, how it scored, then a line a logged loss."""
    facts = read_json(run / "run.json")
    metrics = run / "metrics.json"
    scores = read_json(metrics)["splits"] if metrics.is_file() else None  # a race trains and does not score
    head = {**facts, "machine": machine, "scores": scores}
    lines = [head, *thin(list(read_losses(run / "events.jsonl")))]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(json.dumps(line, sort_keys=line is head) + "\n" for line in lines), encoding="utf-8")
    print(f"{target}: {len(lines) - 1} losses")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of a finished study")
    parser.add_argument("--machine", default=processor(), help="what it ran on, in words")
    arguments = parser.parse_args()
    for run in sorted((arguments.study / "runs").glob("*/run.json")):
        record_run(run.parent, arguments.machine, RECORDS / arguments.study.name / f"{run.parent.name}.jsonl")


if __name__ == "__main__":
    main()
