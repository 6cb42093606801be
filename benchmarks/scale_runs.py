"""How long Snakemake plans studies of many runs: processor time of `snakemake -n`, jobs, memory, the longest command.

Each study is one search over learning rates; nothing is trained. Processor time is that of one core, which can be
compared on a machine that does other things too.
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
RUN = {"tokenizer": "unigram-2k", "model": {"kind": "lstm", "embedding": 64, "hidden": 64}}


def write_study(folder: Path, runs: int) -> Path:
    """Write the default study with `runs` runs in the place of its own; return the file."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    draws = {"training.learning_rate": {"log_uniform": [0.0001, 0.1]}}
    search = {"run": RUN, "random": draws, "draws": runs, "max_tokens": 1_000_000 * runs}
    path = folder / f"{runs}.yaml"
    path.write_text(yaml.safe_dump({**config, "study": f"scale-{runs}", "runs": {}, "searches": {"rates": search}}))
    return path


def plan(study: Path, *arguments: str) -> tuple[float, int, int]:
    """Return the seconds of processor time, the number of jobs and the bytes of the longest command of one dry run."""
    command = [sys.executable, "-m", "snakemake", "-n", "--printshellcmds", "--quiet", "host", "--cores", "1"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        [*command, "--configfile", str(study), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = told.stdout + told.stderr
    if told.returncode:
        raise SystemExit(output)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    commands = re.findall(r"python -m nextchapter\.stages\..*", output)
    jobs = re.search(r"^total +(\d+)", output, re.MULTILINE)
    return used_s, int(jobs[1]) if jobs else 0, max(len(line.encode()) for line in commands)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[10, 100, 1000, 5000])
    parser.add_argument("arguments", nargs="*", help="further arguments of Snakemake, behind --")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        for runs in arguments.runs:
            used_s, jobs, longest = plan(write_study(Path(folder), runs), *arguments.arguments)
            peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # kB on Linux, the largest so far
            told = f"planned in {used_s:.1f} s, {1000 * used_s / jobs:.1f} ms a job, {peak_mb:,.0f} MB"
            print(f"{runs:,} runs, {jobs:,} jobs: {told}, longest command {longest / 1000:,.1f} kB", flush=True)


if __name__ == "__main__":
    main()
