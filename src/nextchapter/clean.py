"""`make clean`: remove what can be made again. Books, fetched or your own, and MLflow's history are kept.

Uses nothing beyond the standard library, so that it works before the installation and after a broken one.
"""

import shutil
import sys
from pathlib import Path

MARKS = ("corpus", "tokens", "runs", "mlflow.json")
"""What tells a study under results/ from other folders."""
MADE = (
    *MARKS, ".checksums", "diagnostics", "embeddings", "figures", "report", "searches", "leaderboard.csv",
    "leaderboard.html", "configurations.csv", "comparisons.csv", "champion.json", "exposure.csv", "next-chapter.md",
    "chapters.csv", "chapters.html", "mlflow-study.json", "mlflow-model.json", "snakemake-report.html",
)  # fmt: skip
"""What the workflow makes in it; what else lies there is yours, and stays."""


def main() -> int:
    """Remove studies, logs and caches in the current folder, and name each."""
    if not Path("Snakefile").is_file():
        print("make clean works in the folder of the Snakefile only", file=sys.stderr)
        return 1
    studies = [folder for folder in Path("results").glob("*") if any((folder / mark).exists() for mark in MARKS)]
    made = [study / name for study in studies for name in MADE]
    for path in [*made, Path("logs"), Path(".work"), Path(".snakemake")]:
        _remove(path)
    for study in studies:
        if any(study.iterdir()) or study.is_symlink():
            print(f"emptied {study}/, but for what the workflow did not make")
        else:
            study.rmdir()
            print(f"removed {study}/")
    print("kept: resources/ (fetched books), results/mlflow.db and results/mlartifacts/ (history of the runs)")
    return 0


def _remove(path: Path) -> None:
    """Remove a file or a folder; a link to a folder, as to a larger disk, stays, and what lies there goes."""
    if path.is_symlink() and path.is_dir():
        for inside in path.iterdir():
            if inside.is_dir() and not inside.is_symlink():
                shutil.rmtree(inside)
            else:
                inside.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
