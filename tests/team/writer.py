"""One of several trainings that write at once: `writer.py ADDRESS RUN METRICS`, in a folder of its own.

It goes both ways that a run takes to MLflow, live and at its end, and prints the Unix times between which it did so.
"""

import math
import sys
import time
from pathlib import Path

from mlflow.entities import Dataset, DatasetInput

from nextchapter.store.events import EventLog, read_events
from nextchapter.tracking.points import milliseconds, points_of
from nextchapter.tracking.publisher import LivePublisher
from nextchapter.tracking.runs import RunContents, publish_run
from nextchapter.tracking.store import ensure_experiment

STUDY, EVENTS_A_COMMIT = "at once", 100


def main(address: str, run: str, metrics: int) -> None:
    began, events = time.time(), Path("events.jsonl")
    with LivePublisher(STUDY, run, f"key of {run}", address, every_s=0.2) as live:
        log = EventLog(events, listeners=(live,))
        log.append("start", 0)
        for step in range(1, metrics + 1):
            log.append("train", step, {"train/loss_nats": 5 + math.sin(step)})
            if step % EVENTS_A_COMMIT == 0:
                log.commit()
        log.close()
    publish_run(ensure_experiment(STUDY, address), contents_of(run, events))
    print(began, time.time())


def contents_of(run: str, events: Path) -> RunContents:
    found = list(read_events(events))
    return RunContents(
        name=run,
        run_key=f"key of {run}",
        start_ms=milliseconds(found[0]["time"]),
        end_ms=milliseconds(found[-1]["time"]),
        parameters={},
        tags={},
        points=points_of(found),
        dataset=DatasetInput(Dataset(name=STUDY, digest="0", source_type="local", source="{}")),
        files={},
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
