"""The benchmark suites through Snakemake, on tiny sets of the same form, and the digests of the real ones."""

import gzip
import hashlib
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nextchapter.spec.base import digest
from nextchapter.store.files import read_json
from nextchapter.tokens.texts import count_characters, digest_plain

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared/data"
TINY = {
    "max_steps": 20, "batch_size": 4, "truncation": 16, "valid_every_steps": 10, "warmup_steps": 3, "device": "cpu",
}  # fmt: skip
SMALL = {"hidden": 12, "layers": 1, "embedding": 8}


def suite(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((ROOT / "config/suites" / f"{name}.yaml").read_text())
    return values


def tiny_text(lines: int, seed: int) -> str:
    generator = np.random.default_rng(seed)
    words = np.array("the cat sat on a mat . and dog @-@ ran <unk> to her , with him in fog it".split())
    return "".join(f" {' '.join(generator.choice(words, size=size))} \n" for size in generator.integers(1, 12, lines))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def project(make_project: Callable[[], Any]) -> Any:
    """Return a project that has a folder of data with an awkward name."""
    project = make_project()
    project.data = project.folder / 'it\'s "my data" (1): #2 {x}'
    project.data.mkdir()
    return project


def write_suite(project: Any, name: str, source: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    """Write a suite with other digests, smaller models and fewer steps, in the place of the suite."""
    values = suite(name)
    values["corpus"]["source"].update(source)
    for run, model in models.items():
        values["runs"][run]["model"].update(model)
    values["training"].update(TINY)
    values["presets"]["cpu"]["training"]["max_seconds"] = 1000
    (project.folder / "config/suites" / f"{name}.yaml").write_text(yaml.safe_dump(values))


def call(project: Any, name: str, preset: str, *arguments: str) -> tuple[int, str]:
    """Return exit code and output of the command in the suite's first lines."""
    options = ("--configfile", f"config/suites/{name}.yaml", "--config", f"data={project.data}", f"preset={preset}")
    with project.start("--cores", "2", *arguments, *options) as process:
        output, _ = process.communicate()
    return process.returncode, output


def test_a_set_of_wikitexts_form_is_checked_and_a_run_trained_on_two_threads(project: Any) -> None:
    texts = {split: tiny_text(lines, lines) for split, lines in (("train", 300), ("valid", 50), ("test", 40))}
    (project.data / "wiki.train.tokens.xz").write_bytes(lzma.compress(texts["train"].encode()))
    (project.data / "wiki.valid.tokens").write_text(texts["valid"], encoding="utf-8")
    (project.data / "wiki.test.tokens.gz").write_bytes(gzip.compress(texts["test"].encode()))
    digests = {split: sha256(text) for split, text in texts.items()}
    write_suite(project, "wikitext-2", {"sha256": digests}, {"lstm": SMALL})
    target = "results/wikitext-2/runs/lstm.s1/run.json"
    code, output = call(project, "wikitext-2", "cpu", target)
    assert code == 0, output
    results = project.folder / "results/wikitext-2"
    facts = read_json(results / "tokens/words/tokens.json")
    assert facts["splits"]["train"]["tokens"] == len(texts["train"].split()) + 300
    made = read_json(results / "runs/lstm.s1/run.json")
    assert (made["threads"], made["training"]["threads"]) == (2, 2)
    spec = {key: made[key] for key in ("run", "study", "seed", "tokenizer", "embedding", "model", "training")}
    others = [digest({**spec, "inputs": made["inputs"], "code": made["code"], "threads": count}) for count in (1, 2)]
    assert others[0] != made["run_key"] == others[1]  # another number of threads is another run
    code, output = call(project, "wikitext-2", "cpu", "-n", target)
    assert code == 0
    assert "Nothing to be done" in output


def test_a_text_of_characters_is_divided_and_its_validation_is_the_test(project: Any) -> None:
    text = tiny_text(400, 7)
    (project.data / "input.txt.xz").write_bytes(lzma.compress(text.encode()))
    write_suite(project, "tiny-shakespeare", {"sha256": sha256(text)}, {"lstm": SMALL, "gru": SMALL})
    tokens = project.folder / "results/tiny-shakespeare/tokens/characters"
    code, output = call(project, "tiny-shakespeare", "cpu", str(tokens.relative_to(project.folder) / "tokens.json"))
    assert code == 0, output
    facts = read_json(tokens / "tokens.json")
    trained = int(0.9 * len(text))
    assert [facts["splits"][split]["tokens"] for split in ("train", "valid")] == [trained + 1, len(text) - trained + 1]
    assert (tokens / "test.bin").read_bytes() == (tokens / "valid.bin").read_bytes()


def test_a_file_with_another_text_is_named_before_anything_is_trained(project: Any) -> None:
    for split in ("train", "valid", "test"):
        (project.data / f"wiki.{split}.tokens").write_text(tiny_text(30, 1), encoding="utf-8")
    found, expected = sha256(tiny_text(30, 1)), suite("wikitext-2")["corpus"]["source"]["sha256"]["train"]
    code, output = call(project, "wikitext-2", "cpu", "results/wikitext-2/runs/kn-5.s1/metrics.json")
    assert code == 1
    assert "corpus.source.train: " in output
    assert f"{found}; expected {expected}" in output
    assert "Traceback" not in output
    assert not (project.folder / "results/wikitext-2/tokens").exists()


def test_a_missing_file_and_an_unknown_preset_are_named_before_any_job(project: Any) -> None:
    (project.data / "ptb.train.txt.gz").write_bytes(b"")
    code, output = call(project, "penn-treebank", "gpu")
    assert code == 1
    assert "corpus.source.valid: found 'ptb.valid.txt'; it must be a file, plain or with .bz2 or .gz or .xz" in output
    code, output = call(project, "penn-treebank", "tpu")
    assert code == 1
    assert "preset: found 'tpu'; allowed: cpu, gpu" in output
    assert not (project.folder / "results").exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data beside the checkout")
def test_the_digests_of_the_suites_are_those_of_the_sets() -> None:
    digests = suite("wikitext-2")["corpus"]["source"]["sha256"]
    files = {split: SHARED / "wikitext-2" / f"wiki.{split}.tokens.xz" for split in digests}
    assert {split: digest_plain(path) for split, path in files.items()} == digests
    shakespeare = SHARED / "tinyshakespeare/input.txt.gz"
    assert digest_plain(shakespeare) == suite("tiny-shakespeare")["corpus"]["source"]["sha256"]
    assert int(0.9 * count_characters(shakespeare)) == 1_003_854  # the cut that the field makes
