"""The default study from its first job to its report, in a folder of its own; then a call that has nothing to do."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("workflow", "profiles", "config"):
            shutil.copytree(ROOT / part, folder / part)
        for part in ("Snakefile", "environment.yml"):
            shutil.copyfile(ROOT / part, folder / part)
        if (ROOT / "resources").is_dir():
            shutil.copytree(ROOT / "resources", folder / "resources")
        first, second = call(folder), call(folder)
        print(f"default study on {os.cpu_count()} processors: {first / 60:.1f} minutes (limit 12)")
        print(f"a second call, nothing to do: {second:.1f} s (limit 5)")
        print((folder / "results/austen/leaderboard.csv").read_text())


def call(folder: Path) -> float:
    """Run the study; return the seconds it took."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "nextchapter.launch", "--cores", "all"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
