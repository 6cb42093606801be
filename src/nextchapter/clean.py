"""`make clean`: remove what can be made again. Books, fetched or your own, and MLflow's history are kept.

Uses nothing beyond the standard library, so that it works before the installation and after a broken one.
"""

import shutil
import sys
from pathlib import Path

MARKS = ("corpus", "tokens", "runs", "mlflow.json")
"""A folder under results/ is a study, and may go, when it holds nothing but what the workflow makes there."""


def main() -> int:
    """Remove studies, logs and caches in the current folder, and name each."""
    if not Path("Snakefile").is_file():
        print("make clean works in the folder of the Snakefile only", file=sys.stderr)
        return 1
    studies = [folder for folder in Path("results").glob("*") if any((folder / mark).exists() for mark in MARKS)]
    for folder in [*studies, Path("logs"), Path(".work"), Path(".snakemake")]:
        if folder.is_dir():
            shutil.rmtree(folder)
            print(f"removed {folder}/")
    print("kept: resources/ (fetched books), results/mlflow.db and results/mlartifacts/ (history of the runs)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
