"""Does what docs/models/adding-a-cell.md says, with its own text, on a copy of the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nextchapter.tokens.stream import write_stream

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/models/adding-a-cell.md"
COPIED = ("src", "config", "workflow", "tests/unit/models/test_contract.py", "pyproject.toml")
FINGERPRINTS = """
import json, sys, yaml
from nextchapter.flow import Flow
flow = Flow.from_config(yaml.safe_load(open("config/config.yaml")))
rules = ("train_model", "evaluate_model", "write_chapter", "draw_network", "track_run")
print(json.dumps({run: [[flow.spec(rule, run), flow.code(rule, run)] for rule in rules] for run in flow.runs}))
"""
TRAINING = {"max_steps": 3, "max_tokens": None, "batch_size": 2, "truncation": 8, "valid_every_steps": 3}


class Page:
    """The code blocks of the page, by language, each with the file that the text before it names."""

    def __init__(self) -> None:
        text = PAGE.read_text(encoding="utf-8")
        self.blocks: dict[str, list[tuple[str, str]]] = {"python": [], "diff": [], "yaml": []}
        for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            file = re.findall(r"`((?:src|tests|config)/[\w/.]+)`", text[: match.start()])[-1]
            self.blocks[match[1]].append((file, match[2]))

    def apply(self, tree: Path) -> dict[str, Any]:
        """Follow the page; return the run that it adds to the configuration."""
        for file, code in self.blocks["python"]:
            assert not (tree / file).exists()
            (tree / file).write_text(code)
        for file, diff in self.blocks["diff"]:
            old, new = (line[1:] for line in diff.splitlines())
            text = (tree / file).read_text()
            assert text.count(old) == 1, f"{file}: the page replaces {old!r}, which is not there once"
            (tree / file).write_text(text.replace(old, new))
        ((file, added),) = self.blocks["yaml"]
        config, runs = yaml.safe_load((tree / file).read_text()), yaml.safe_load(added)["runs"]
        (tree / file).write_text(yaml.safe_dump({**config, "runs": config["runs"] | runs}, sort_keys=False))
        return runs


def call(tree: Path, *arguments: str) -> str:
    """Run Python on the copy; return what it prints."""
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in COPIED:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copyfile(ROOT / name, target)
    return tmp_path


def test_the_page_adds_a_cell_that_trains_and_reruns_nothing(tree: Path) -> None:
    before = json.loads(call(tree, "-c", FINGERPRINTS))
    added = Page().apply(tree)
    call(tree, "-m", "nextchapter.spec.document")
    assert "kind: mgu" in (tree / "config/README.md").read_text()

    after = json.loads(call(tree, "-c", FINGERPRINTS))
    (name,) = added
    assert {run: after[run] for run in before} == before
    assert set(after) - set(before) == {f"{name}.s1"}

    _train(tree, json.loads(after[f"{name}.s1"][0][0]))
    record = json.loads((tree / "run.json").read_text())
    assert (record["model"]["kind"], record["steps"]) == ("mgu", 3)

    told = call(tree, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/models/test_contract.py", "-k", "mgu")
    passed = re.search(r"^(\d+) passed, \d+ deselected", told, re.MULTILINE)
    assert passed is not None, told
    assert int(passed[1]) >= 8


def _train(tree: Path, spec: dict[str, Any]) -> None:
    """Run the stage on two chapters of chance tokens."""
    chapters = np.random.default_rng(0).integers(2, 30, size=(2, 40)).tolist()
    facts: dict[str, Any] = {"dtype": "uint16", "end_of_chapter": 1, "vocabulary_size": 30, "splits": {}}
    for split in ("train", "valid"):
        write_stream(tree / f"{split}.bin", chapters, 1, "uint16")
        facts["splits"][split] = {"sha256": split, "tokens": 82}
    (tree / "tokens.json").write_text(json.dumps(facts))
    call(
        tree, "-m", "nextchapter.stages.train_model",
        "--spec", json.dumps({**spec, "training": {**spec["training"], **TRAINING}}), "--facts", "tokens.json",
        "--train-tokens", "train.bin", "--valid-tokens", "valid.bin", "--model", "model.safetensors",
        "--events", "events.jsonl", "--provenance", "run.json",
    )  # fmt: skip
