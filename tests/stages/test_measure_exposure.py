import csv
import math
from pathlib import Path
from types import SimpleNamespace

from nextchapter.corpus.canaries import draw_canaries
from nextchapter.spec.corpus import CanarySpec
from nextchapter.stages.measure_exposure import main
from nextchapter.store.files import write_json


def test_each_canary_is_ranked_twice_alike(small_shelf: Path, trained: Path, arguments: SimpleNamespace) -> None:
    spec, words = CanarySpec(words=4, copies=(1, 2), each=2, references=63), "the cat sat on a mat and dog".split()
    canaries = draw_canaries(words, spec)
    planted = [canary._asdict() for canary in canaries]
    told = {"spec": spec.model_dump(mode="json"), "words": words, "planted": planted}
    write_json("account.json", {"canaries": told})
    files = ["--model", f"{trained}/model.safetensors", "--provenance", f"{trained}/run.json"]
    files += ["--tokenizer", f"{small_shelf}/tokenizer.model", "--account", "account.json"]
    for name in ("a", "b"):
        assert main(["--spec", '{"run": "lstm.s1"}', *files, "--exposure", f"{name}.csv"]) == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    with Path("a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["canary"], int(row["copies"])) for row in rows] == [tuple(canary) for canary in canaries]
    for row in rows:
        expected = math.log2((int(row["references"]) + 1) / int(row["rank"]))
        assert math.isclose(float(row["exposure_bits"]), expected, abs_tol=1e-5)
    assert [int(row["rank"]) for row in sorted(rows, key=lambda row: float(row["nats"]))] == sorted(
        int(row["rank"]) for row in rows
    )
