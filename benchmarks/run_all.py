"""`make bench`: every race and figure, one after the other, so that none disturbs another."""

import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RACES = [
    "race_training.py", "race_cells.py", "race_writing.py", "race_hmm.py", "race_tokenizers.py", "scale_ngram.py",
    "scale_glove.py", "race_glove.py", "time_study.py",
]  # fmt: skip


def main() -> int:
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}", flush=True)
    codes = []
    for race in RACES:
        print(f"\n== {race}", flush=True)
        codes.append(subprocess.run([sys.executable, HERE / race], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
