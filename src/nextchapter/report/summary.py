"""The screen after the last job: the leaderboard, the champion, how its chapter begins, and where all is.

It reads CSV and Markdown alone; neither torch nor pandas is loaded for it.
"""

import csv
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from nextchapter.report.terminal import ROWS_MAX, WIDTH, Paint, fit, more, path_field, wrap

_SHARED_NOTE = "= shares its rank: what parts it from the best of that rank may be chance"


def summarise_study(results_folder: Path | str, colour: bool = False) -> str:
    """Return the screen after the last job: leaderboard, champion, how the next chapter begins, and where all is.

    Args:
        results_folder: `results/STUDY`.
        colour: use the terminal's bold and colours.
    """
    folder, paint = Path(results_folder), Paint(colour)
    if not (folder / "leaderboard.csv").is_file():
        return f"\nThere is no leaderboard in {folder} yet: `make run` makes it.\n"
    runs, means = _read_table(folder / "leaderboard.csv"), _read_table(folder / "configurations.csv")
    has_seeds = any(int(row["runs"]) > 1 for row in means)
    lines = ["", paint.bold(fit(f"{folder.name}: who foresees an unread chapter best?", WIDTH)), ""]
    lines += (
        _ranking([_as_run(row) for row in means], "means over seeds (95 %)", paint)
        if has_seeds
        else _ranking(runs, "bits a character (95 %)", paint)
    )
    champion = next(row["run"] for row in runs if row["champion"] == "True")
    lines += [*wrap(f"* the champion, {champion}: best on validation, so it writes the chapter", 2), ""]
    lines += _beginning(folder / "next-chapter.md", paint)
    lines.append(path_field("open first", str(folder / "report" / "index.html")))
    lines.append(path_field("next chapter", str(folder / "next-chapter.md")))
    lines.append(path_field("each step", str(folder / "snakemake-report.html")))
    lines.append(path_field("all runs", "make ui"))
    return "\n".join([*lines, ""])


def _read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _as_run(row: Mapping[str, str]) -> dict[str, str]:
    """Return the mean of a configuration as if it were a run; its interval is that of the mean over seeds."""
    return {**row, "run": row["configuration"], "ci_low": row["seeds_low"], "ci_high": row["seeds_high"]}


def _ranking(rows: Sequence[dict[str, str]], score: str, paint: Paint) -> list[str]:
    """Return the best rows of a table, and that of the champion, under a heading that names the score."""
    lines = [paint.muted(f"  {'rank':>4}  {'run':<18}{score:<24}{'perplexity':>10}{'parameters':>12}{'minutes':>8}")]
    champion = next(row for row in rows if row["champion"] == "True")
    shared = {rank for rank, count in Counter(row["rank"] for row in rows).items() if count > 1}
    best = rows[:ROWS_MAX]
    shown = best if champion in best else [*best, champion]
    drawn = [_row(row, "=" if row["rank"] in shared else "", paint) for row in shown]
    lines += [*drawn[: len(best)], *more(len(rows)), *drawn[len(best) :]]
    return [*lines, *wrap(_SHARED_NOTE, 2)] if shared else lines


def _row(row: Mapping[str, str], mark: str, paint: Paint) -> str:
    is_champion = row["champion"] == "True"
    interval = f" ({float(row['ci_low']):.3f}-{float(row['ci_high']):.3f})" if row["ci_low"] else ""
    score = f"{float(row['test_bits_per_character']):.3f}{interval}"
    name = fit(row["run"], 15) + (" *" if is_champion else "")
    perplexity = f"{float(row['test_perplexity']):,.1f}" if row["test_perplexity"] else "-"
    minutes = float(row["train_seconds"]) / 60
    line = (
        f"  {mark + row['rank']:>4}  {name:<18}{score:<24}{perplexity:>10}{int(row['parameters']):>12,}{minutes:>8.1f}"
    )
    return paint.gold(line) if is_champion else line


def _beginning(chapter: Path, paint: Paint) -> list[str]:
    """Return heading and first three lines of a chapter."""
    if not chapter.is_file():
        return []
    heading, _, text = chapter.read_text(encoding="utf-8").strip().partition("\n")
    lines = wrap(" ".join(text.split()), 4)
    shown = [*lines[:3][:-1], f"{lines[2]} ..."] if len(lines) > 3 else lines
    return [paint.bold(f"    {fit(heading.lstrip('# '), WIDTH - 8)}"), *shown, ""]


if __name__ == "__main__":
    print(summarise_study(sys.argv[1], sys.stdout.isatty()))
