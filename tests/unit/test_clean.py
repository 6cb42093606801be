from pathlib import Path

import pytest

from nextchapter.clean import main

KEPT = [
    "resources/wheels/a.whl",
    "resources/cache/0a1b",
    "resources/cache/2c3d.part",
    "results/mlflow.db",
    "results/mlartifacts/1/model",
    "results/my books/emma.txt",
    "Snakefile",
]
GONE = [
    "results/mine/leaderboard.csv",
    "results/mine/runs/a/run.json",
    "results/austen/corpus/train.parquet",
    "results/austen/diagnostics/hopfield/hopfield.json",
    "logs/train_model/x.log",
    ".work/locks/a",
    ".snakemake/metadata/b",
]


def test_what_can_be_made_again_goes_and_books_and_history_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [*KEPT, *GONE]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert main() == 0
    assert [name for name in KEPT if not (tmp_path / name).exists()] == []
    assert [name for name in GONE if (tmp_path / name).exists()] == []
    assert "removed results/austen/" in capsys.readouterr().out


def test_a_link_to_another_disk_stays_and_what_lies_there_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, disk = tmp_path / "project", tmp_path / "disk"
    for name in ("disk/locks/a", "disk/b", "books/emma.txt", "project/Snakefile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (disk / "shelf").symlink_to(tmp_path / "books")
    (project / ".work").symlink_to(disk)
    monkeypatch.chdir(project)
    assert main() == 0
    assert (project / ".work").is_dir()
    assert not any(disk.iterdir())
    assert (tmp_path / "books/emma.txt").is_file()


def test_elsewhere_nothing_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    assert main() == 1
    assert (tmp_path / "logs").is_dir()
