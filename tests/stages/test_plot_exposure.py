from pathlib import Path

import pandas as pd
import pytest

from nextchapter.stages.plot_exposure import main


def test_the_exposure_of_all_runs_is_drawn_twice_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for run, kind in (("lstm.s1", "lstm"), ("gru.s1", "gru")):
        rows = [(run, kind, "A b.", copies, 9.5, 3, 63, copies / 2 + 0.25) for copies in (1, 1, 4, 8)]
        columns = ["run", "model", "canary", "copies", "nats", "rank", "references", "exposure_bits"]
        pd.DataFrame(rows, columns=columns).to_csv(f"{run}.csv", index=False)
    for folder in ("a", "b"):
        outputs = [f"--{kind}={folder}/exposure.{kind}" for kind in ("csv", "svg", "png")]
        assert main(["--exposures", "lstm.s1.csv", "gru.s1.csv", *outputs]) == 0
    for kind in ("csv", "svg", "png"):
        assert Path(f"a/exposure.{kind}").read_bytes() == Path(f"b/exposure.{kind}").read_bytes()
    assert pd.read_csv("a/exposure.csv")["run"].tolist() == ["lstm.s1"] * 4 + ["gru.s1"] * 4
