"""A shelf so small that every stage runs on it in a moment."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nextchapter.stages import (
    count_cooccurrences,
    count_words,
    encode_corpus,
    train_embedding,
    train_model,
    train_tokenizer,
)

MODEL = {"kind": "lstm", "hidden": 16, "embedding": 8}
TRAINING = {
    "max_steps": 30, "max_tokens": None, "batch_size": 4, "truncation": 16, "valid_every_steps": 10, "warmup_steps": 3,
    "device": "cpu",
}  # fmt: skip


def train_spec(**changes: Any) -> str:
    """Return the specification of the small run; `training` is merged."""
    training = {**TRAINING, **changes.pop("training", {})}
    spec = {
        "run": "lstm.s1", "study": "small", "seed": 1, "tokenizer": "t", "model": MODEL,
    }  # fmt: skip
    return json.dumps({**spec, **changes, "training": training})


def _chapters(count: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    words = np.array("the cat sat on a mat and dog ran to her with him in fog it was not so".split())
    rows = []
    for number in range(1, count + 1):
        sentences = [" ".join(generator.choice(words, size=9)).capitalize() + "." for _ in range(24)]
        text = "\n\n".join(" ".join(sentences[start : start + 4]) for start in range(0, 24, 4))
        rows.append({"book": "a/b", "chapter": number, "heading": f"Chapter {number}", "text": text})
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True)
def _settings_of_torch() -> Iterator[None]:
    """Put back what a stage sets for its whole process: it ends with it, the tests do not."""
    threads = torch.get_num_threads()
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def small_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the chapters of three splits, a manifest, a tokenizer and token files."""
    folder = tmp_path_factory.mktemp("shelf")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _fill(folder)
    return folder


def _fill(folder: Path) -> None:
    for split, count, seed in (("train", 6, 0), ("valid", 2, 1), ("test", 2, 2)):
        _chapters(count, seed).to_parquet(folder / f"{split}.parquet")
    manifest = _chapters(7, 3).drop(columns="text")
    manifest.to_csv(folder / "split.csv", index=False)
    words = ["--train", f"{folder}/train.parquet", "--test", f"{folder}/test.parquet"]
    assert count_words.main([*words, "--words", f"{folder}/words.parquet"]) == 0
    assert train_tokenizer.main(tokenizer_arguments(folder, folder)) == 0
    assert encode_corpus.main(encode_arguments(folder, folder)) == 0


def tokenizer_arguments(shelf: Path, output: Path) -> list[str]:
    spec = '{"kind": "unigram", "vocabulary_size": 290}'
    return ["--spec", spec, "--train", f"{shelf}/train.parquet", "--tokenizer", str(output / "tokenizer.model")]


def encode_arguments(shelf: Path, output: Path) -> list[str]:
    arguments = ["--spec", '{"kind": "unigram", "pretokenized": false}', "--tokenizer", f"{shelf}/tokenizer.model"]
    arguments += ["--facts", f"{output}/tokens.json"]
    for split in ("train", "valid", "test"):
        arguments += [f"--{split}", f"{shelf}/{split}.parquet", f"--{split}-tokens", f"{output}/{split}.bin"]
        arguments += [f"--{split}-offsets", f"{output}/{split}.offsets.bin"]
    return arguments


def train_arguments(shelf: Path, output: Path, **changes: Any) -> list[str]:
    return [
        "--spec", train_spec(**changes), "--code", "c0de", "--facts", f"{shelf}/tokens.json",
        "--train-tokens", f"{shelf}/train.bin", "--valid-tokens", f"{shelf}/valid.bin",
        "--model", f"{output}/model.safetensors", "--events", f"{output}/events.jsonl",
        "--provenance", f"{output}/run.json",
    ]  # fmt: skip


def count_arguments(shelf: Path, output: Path) -> list[str]:
    return [
        "--spec", '{"window": 4, "min_count": 2, "memory_mb": 16}', "--facts", f"{shelf}/tokens.json",
        "--train-tokens", f"{shelf}/train.bin", "--cooccurrences", f"{output}/cooccurrences.bin",
    ]  # fmt: skip


def embed_arguments(shelf: Path, output: Path, **spec: Any) -> list[str]:
    whole = {"kind": "glove", "tokenizer": "t", "dimensions": 8, "min_count": 2, "epochs": 3, **spec}
    counted = [f"{output}/cooccurrences.bin"] if whole["kind"] == "glove" else []
    return [
        "--spec", json.dumps(whole), "--code", "c0de", "--facts", f"{shelf}/tokens.json",
        "--train-tokens", f"{shelf}/train.bin", "--cooccurrences", *counted,
        "--vectors", f"{output}/vectors.safetensors", "--embedding", f"{output}/embedding.json",
    ]  # fmt: skip


def judge_arguments(shelf: Path, vectors: Path, output: Path) -> list[str]:
    return [
        "--spec", "{}", "--facts", f"{shelf}/tokens.json", "--tokenizer", f"{shelf}/tokenizer.model",
        "--train-tokens", f"{shelf}/train.bin", "--vectors", f"{vectors}/vectors.safetensors",
        "--scores", f"{output}/scores.json", "--neighbours", f"{output}/neighbours.csv",
        "--vocabulary", f"{output}/vocabulary.json", "--text", f"{output}/vectors.txt",
    ]  # fmt: skip


def evaluate_arguments(shelf: Path, run: Path, output: Path) -> list[str]:
    return [
        "--spec", '{"run": "lstm.s1", "passage_tokens": 12}',
        "--model", f"{run}/model.safetensors", "--provenance", f"{run}/run.json",
        "--facts", f"{shelf}/tokens.json", "--tokenizer", f"{shelf}/tokenizer.model",
        "--valid", f"{shelf}/valid.parquet", "--test", f"{shelf}/test.parquet", "--words", f"{shelf}/words.parquet",
        "--valid-tokens", f"{shelf}/valid.bin", "--test-tokens", f"{shelf}/test.bin",
        "--metrics", f"{output}/metrics.json", "--predictions", f"{output}/predictions.csv",
        "--blocks", f"{output}/blocks.csv", "--profile", f"{output}/profile.json",
    ]  # fmt: skip


def write_arguments(shelf: Path, run: Path, output: Path, **spec: Any) -> list[str]:
    lengths = {"run": "lstm.s1", "words_min": 20, "words_max": 40}
    return [
        "--spec", json.dumps({**lengths, **spec}), "--model", f"{run}/model.safetensors",
        "--provenance", f"{run}/run.json", "--tokenizer", f"{shelf}/tokenizer.model",
        "--train", f"{shelf}/train.parquet", "--manifest", f"{shelf}/split.csv",
        "--chapter", f"{output}/chapter.md", "--facts", f"{output}/chapter.json",
    ]  # fmt: skip


@pytest.fixture(scope="session")
def arguments() -> SimpleNamespace:
    """Return the functions that spell the command lines of the stages."""
    return SimpleNamespace(
        train_tokenizer=tokenizer_arguments,
        encode_corpus=encode_arguments,
        count_cooccurrences=count_arguments,
        train_embedding=embed_arguments,
        evaluate_embedding=judge_arguments,
        train_model=train_arguments,
        evaluate_model=evaluate_arguments,
        write_chapter=write_arguments,
    )


@pytest.fixture
def trained(small_shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the small run, trained; the current folder is that of the test."""
    monkeypatch.chdir(tmp_path)
    assert train_model.main(train_arguments(small_shelf, tmp_path / "run")) == 0
    return tmp_path / "run"


@pytest.fixture
def embedded(small_shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the pairs and GloVe vectors of the small shelf; the current folder is that of the test."""
    monkeypatch.chdir(tmp_path)
    assert count_cooccurrences.main(count_arguments(small_shelf, tmp_path / "glove")) == 0
    assert train_embedding.main(embed_arguments(small_shelf, tmp_path / "glove")) == 0
    return tmp_path / "glove"
