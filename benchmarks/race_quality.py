"""Time to quality: when do runs of a suite reach the best validation perplexity of the plain recipe (peer_lstm.py)?

Peer and suite train in turn on one machine, or their records are read where they are already there. All times are
seconds of training; scoring is left out on both sides, and a run made of others counts the training of all of them.

    python benchmarks/race_quality.py --data FOLDER                                25 minutes for each side
    python benchmarks/race_quality.py --data FOLDER --peer-seconds 60 --seconds 60            to try it
    python benchmarks/race_quality.py --peer-log FILE --study results/race-wikitext-2         from records
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from nextchapter.store.files import read_json

ROOT = Path(__file__).resolve().parents[1]


class Point(NamedTuple):
    """A validation: how long the model had been trained, and how good it was."""

    train_s: float
    perplexity: float


def peer_curve(log: Path) -> list[Point]:
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [Point(record["train_s"], record["valid_perplexity"]) for record in records]


def run_curve(study: Path, run: str) -> list[Point]:
    """Return the validations of a run; one that is fitted in one reading has a single one, at its end."""
    made = read_json(study / "runs" / run / "run.json")
    if made["steps"] == 1:
        return [Point(whole_train_s(study, run), math.exp(made["valid_nats_per_token"]))]
    curve, tokens_per_s = [], math.nan
    for line in (study / "runs" / run / "events.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["event"] == "train":
            tokens_per_s = record["metrics"]["system/tokens_per_s"]  # over all seconds of training so far
        elif record["event"] == "valid":
            curve.append(Point(record["tokens"] / tokens_per_s, math.exp(record["metrics"]["valid/loss_nats"])))
    return curve


def whole_train_s(study: Path, run: str) -> float:
    """Return the seconds of training of a run and of all that it is made of, each counted once."""
    names = set(all_members(study, run))
    return sum(read_json(study / "runs" / name / "run.json")["train_seconds"] for name in names)


def all_members(study: Path, run: str) -> Iterator[str]:
    yield run
    for member in read_json(study / "runs" / run / "run.json").get("members", ()):
        yield from all_members(study, member)


def first_at_most(curve: Sequence[Point], perplexity: float) -> float | None:
    """Return when a curve first is as good as that, in seconds of training."""
    return next((point.train_s for point in curve if point.perplexity <= perplexity), None)


def compare(peer: Sequence[Point], runs: dict[str, list[Point]]) -> None:
    """Print each run's time to the peer's best perplexity, and the ratio of the peer's time to it."""
    goal = min(peer, key=lambda point: point.perplexity)
    print(f"{'peer':<20} best {goal.perplexity:8.2f} after {goal.train_s:7.0f} s of training")
    for name, curve in runs.items():
        best, reached_s = min(curve, key=lambda point: point.perplexity), first_at_most(curve, goal.perplexity)
        told = "does not reach the peer's best"
        if reached_s is not None:
            told = f"reaches the peer's best after {reached_s:7.0f} s: ratio {goal.train_s / reached_s:.2f}"
        print(f"{name:<20} best {best.perplexity:8.2f} after {best.train_s:7.0f} s; {told}")


def train_peer(arguments: argparse.Namespace, log: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks/peer_lstm.py"), "--data", str(arguments.data), "--log", str(log)]
    command += ["--seconds", str(arguments.peer_seconds), "--threads", str(arguments.threads)]
    subprocess.run(command, check=True)


def train_suite(arguments: argparse.Namespace) -> Path:
    """Train the runs by the suite, with another budget in a study of its own; return the study's folder."""
    name = f"race-{arguments.suite}"
    training = {"max_seconds": arguments.seconds, "threads": arguments.threads}
    changes = {"presets": {arguments.preset: {"study": name, "training": training, "tracking": {"live": False}}}}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as overlay:
        yaml.safe_dump(changes, overlay)
        overlay.flush()
        command = [sys.executable, "-m", "snakemake", "--cores", str(arguments.threads)]
        command += [f"results/{name}/runs/{run}/run.json" for run in arguments.runs]
        command += ["--configfile", f"config/suites/{arguments.suite}.yaml", overlay.name]
        command += ["--config", f"data={arguments.data}", f"preset={arguments.preset}"]
        subprocess.run(command, check=True, cwd=ROOT)
    return ROOT / "results" / name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=lambda text: Path(text).resolve(), help="folder with the files of the set")
    parser.add_argument("--suite", default="wikitext-2", choices=["wikitext-2", "penn-treebank"])
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--runs", nargs="+", default=["lstm.s1", "mixture.s1"], help="with their seeds")
    parser.add_argument("--peer-seconds", type=float, default=1500, help="budget of the peer")
    parser.add_argument("--seconds", type=float, default=1500, help="budget of each network of the suite")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer-log", type=Path, help="the log of a peer that has been trained")
    parser.add_argument("--study", type=Path, help="the results of a suite that has been trained")
    arguments = parser.parse_args()
    if arguments.data is None and None in (arguments.peer_log, arguments.study):
        parser.error("--data is needed where --peer-log or --study is not given")
    log = arguments.peer_log
    if log is None:
        log = ROOT / f"results/race-{arguments.suite}-peer.jsonl"
        log.parent.mkdir(exist_ok=True)
        train_peer(arguments, log)
    study = arguments.study or train_suite(arguments)
    compare(peer_curve(log), {run: run_curve(study, run) for run in arguments.runs})


if __name__ == "__main__":
    main()
