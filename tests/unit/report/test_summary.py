import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nextchapter.report.configurations import compare_configurations
from nextchapter.report.summary import summarise_study
from nextchapter.store.tables import write_csv


@pytest.fixture
def study(results_tree: Callable[..., Path], leaderboard_of: Callable[..., pd.DataFrame]) -> Path:
    folder = results_tree()
    scores = {"elman-384.s1": (2.31, 2.2), "gru-384.s1": (2.11, 2.0), "lstm-384.s1": (2.08, 2.1)}
    write_csv(folder / "leaderboard.csv", leaderboard_of(scores, parameters=1_345_000))
    return folder


def test_the_screen_shows_leaderboard_champion_chapter_and_places(study: Path) -> None:
    screen = summarise_study(study)
    rows = [line for line in screen.splitlines() if re.match(r" +\d  ", line)]
    assert [row.split()[:2] for row in rows] == [["1", "lstm-384.s1"], ["2", "gru-384.s1"], ["3", "elman-384.s1"]]
    assert rows[1].split()[2:] == ["*", "2.110", "(2.090-2.130)", "54.6", "1,345,000", "1.7"]
    for text in (
        "* the champion, gru-384.s1", "CHAPTER XXV", "Captain Wentworth was not in the room",
        f"{study}/report/index.html", f"{study}/next-chapter.md", f"{study}/snakemake-report.html", "make ui",
    ):  # fmt: skip
        assert text in screen
    assert all(len(line) <= 80 or str(study) in line for line in screen.splitlines())
    assert len(screen.splitlines()) <= 24


def test_a_shared_rank_is_marked_and_explained(study: Path, leaderboard_of: Callable[..., pd.DataFrame]) -> None:
    scores = {"elman-384.s1": (2.31, 2.2), "gru-384.s1": (2.11, 2.0), "lstm-384.s1": (2.08, 2.1)}
    write_csv(study / "leaderboard.csv", leaderboard_of(scores).assign(rank=[1, 1, 3]))
    screen = summarise_study(study)
    rows = [line.split()[:2] for line in screen.splitlines() if re.match(r" +=?\d  ", line)]
    assert rows == [["=1", "lstm-384.s1"], ["=1", "gru-384.s1"], ["3", "elman-384.s1"]]
    assert "= shares its rank" in screen
    assert all(len(line) <= 80 or str(study) in line for line in screen.splitlines())


def test_runs_that_differ_in_the_seed_are_one_row_with_the_interval_of_their_mean(
    study: Path, leaderboard_of: Callable[..., pd.DataFrame]
) -> None:
    board = leaderboard_of({"tuned.s1": (2.31, 2.2), "tuned.s2": (2.33, 2.0), "frozen.s1": (2.4, 2.3)})
    write_csv(study / "leaderboard.csv", board)
    write_csv(study / "configurations.csv", compare_configurations(board))
    screen = summarise_study(study)
    rows = [line.split() for line in screen.splitlines() if re.match(r" +\d  ", line)]
    assert [row[:2] for row in rows] == [["1", "tuned"], ["2", "frozen"]]
    assert rows[0][2:5] == ["*", "2.320", "(2.193-2.447)"]
    assert "means over seeds (95 %)" in screen
    assert "* the champion, tuned.s2" in screen


def test_a_long_chapter_shows_its_first_three_lines(study: Path) -> None:
    (study / "next-chapter.md").write_text("# II\n\n" + "It rained. " * 200)
    lines = [line for line in summarise_study(study).splitlines() if "It rained." in line]
    assert len(lines) == 3
    assert lines[-1].endswith(" ...")


def test_what_was_written_cannot_steer_the_terminal(study: Path) -> None:
    (study / "next-chapter.md").write_text("# I\x1b[31m\n\nA\x1b]0;title\x07 word\x9b2J.")
    assert all(line.isprintable() for line in summarise_study(study).splitlines())


def test_of_many_runs_the_best_and_the_champion_are_listed(
    tmp_path: Path, leaderboard_of: Callable[..., pd.DataFrame]
) -> None:
    scores = {f"a-very-long-name-of-a-run-{number}.s1": (2 + number / 1000, 9 - number / 1000) for number in range(500)}
    write_csv(tmp_path / "leaderboard.csv", leaderboard_of(scores))
    screen = summarise_study(tmp_path)
    assert "... and 488 more" in screen
    assert "the champion, a-very-long-name-of-a-run-499.s1" in screen
    assert len([line for line in screen.splitlines() if re.match(r" +\d+  a-very-lo", line)]) == 13


def test_a_run_without_interval_or_perplexity_is_listed(
    tmp_path: Path, leaderboard_of: Callable[..., pd.DataFrame]
) -> None:
    table = leaderboard_of({"a.s1": (2.5, 2.1)}).assign(ci_low=None, ci_high=None, test_perplexity=None)
    write_csv(tmp_path / "leaderboard.csv", table)
    (row,) = [line for line in summarise_study(tmp_path).splitlines() if "a.s1 *" in line]
    assert row.split() == ["1", "a.s1", "*", "2.500", "-", "1,000,000", "1.7"]


def test_without_a_leaderboard_the_screen_says_so(tmp_path: Path) -> None:
    assert "no leaderboard" in summarise_study(tmp_path)


def test_it_is_a_command_that_colours_nothing_in_a_pipe(study: Path) -> None:
    command = [sys.executable, "-m", "nextchapter.report.summary", str(study)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == summarise_study(study) + "\n"
    assert "\x1b[33m" in summarise_study(study, colour=True)
