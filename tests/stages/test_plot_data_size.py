import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.stages.plot_data_size import main
from nextchapter.store.files import read_json, write_json

SHARES = (0.25, 0.5, 1.0)
RUNS = {
    f"{kind}.{place}.s1": (kind, 4.2, bits - 0.2 * place)
    for kind, bits in (("lstm", 2.6), ("gru", 2.5))
    for place in (1, 2, 3)
}


def test_scores_and_cost_against_the_share_are_tabled_and_drawn_twice_alike(
    results_tree: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = results_tree(runs=RUNS | {"hmm.s1": ("hmm", 4.2, 2.9)})
    for run in RUNS:
        kind, place, _ = run.split(".")
        share, path = SHARES[int(place) - 1], study / "runs" / run / "run.json"
        size = {"train_share": share, "train_tokens": round(8000 * share), "train_chapters": round(8 * share)}
        write_json(path, {**read_json(path), **size, "search": {"name": kind}})
    files = {name: [f"{study}/runs/{run}/{name}" for run in (*RUNS, "hmm.s1")] for name in ("run.json", "metrics.json")}
    inputs = ["--provenance", *files["run.json"], "--metrics", *files["metrics.json"]]
    for folder in ("a", "b"):
        outputs = [text for kind in ("csv", "svg", "png") for text in (f"--{kind}", f"{folder}/data-size.{kind}")]
        assert main([*inputs, *outputs]) == 0
    for kind in ("csv", "svg", "png"):
        assert Path(f"a/data-size.{kind}").read_bytes() == Path(f"b/data-size.{kind}").read_bytes()
    with Path("a/data-size.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = [(row["network"], row["train_share"], row["train_tokens"]) for row in rows]
    assert found == [(kind, str(share), str(round(8000 * share))) for kind in ("gru", "lstm") for share in SHARES]
    assert [float(row["test_bits_per_character"]) for row in rows[:3]] == pytest.approx([2.3, 2.1, 1.9])
