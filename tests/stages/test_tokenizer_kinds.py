"""Every stage from the tokenizer to the chapter, with each kind of tokenizer."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from nextchapter.corpus.words import WORD
from nextchapter.evaluation.intervals import read_blocks
from nextchapter.stages import encode_corpus, evaluate_model, train_model, train_tokenizer, write_chapter
from nextchapter.store.files import read_json
from nextchapter.tokens.registry import load_tokenizer

KINDS: list[dict[str, Any]] = [
    {"kind": "bytes"},
    {"kind": "characters"},
    {"kind": "words", "vocabulary_size": 20},
    {"kind": "words", "pretokenized": True, "vocabulary_size": 24},
    {"kind": "unigram", "vocabulary_size": 290},
    {"kind": "bpe", "vocabulary_size": 290},
]


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec["kind"] + "-lines" * spec.get("pretokenized", False))
def test_a_model_is_trained_scored_and_writes(
    spec: dict[str, Any], small_shelf: Path, arguments: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("train.parquet", "valid.parquet", "test.parquet", "split.csv", "words.parquet"):
        (tmp_path / file).symlink_to(small_shelf / file)
    learn = arguments.train_tokenizer(tmp_path, tmp_path)
    learn[learn.index("--spec") + 1] = json.dumps(spec)
    assert train_tokenizer.main(learn) == 0
    assert encode_corpus.main([*arguments.encode_corpus(tmp_path, tmp_path), "--threads", "2"]) == 0
    steps = {"max_steps": 3, "valid_every_steps": 3}
    assert train_model.main(arguments.train_model(tmp_path, tmp_path / "run", training=steps)) == 0
    assert evaluate_model.main(arguments.evaluate_model(tmp_path, tmp_path / "run", tmp_path)) == 0
    opening = {"opening": "The zebra, quite new"}
    assert write_chapter.main(arguments.write_chapter(tmp_path, tmp_path / "run", tmp_path, **opening)) == 0

    facts, scores = read_json(tmp_path / "tokens.json"), read_json(tmp_path / "metrics.json")["splits"]["test"]
    tokenizer = load_tokenizer(tmp_path / "tokenizer.model")
    texts = pd.read_parquet(tmp_path / "test.parquet")["text"]
    assert (facts["kind"], facts["unknown"]) == (spec["kind"], tokenizer.unknown)
    lines = len(texts) if spec.get("pretokenized") else 0  # the end of the last line counts
    assert scores["characters"] == facts["splits"]["test"]["characters"] == texts.str.len().sum() + lines
    spelled = sum(tokenizer.encode_text(text).spelling_nats for text in texts)
    assert scores["spelling_nats"] == pytest.approx(spelled)
    assert (spelled > 0) == (spec["kind"] == "words")
    extra = scores["bits_per_character"] - scores["bits_per_character_without_spelling"]
    assert extra == pytest.approx(spelled / scores["characters"] / math.log(2))
    assert scores["bits_per_byte"] == pytest.approx(scores["bits_per_character"])  # all letters are ASCII
    blocks = read_blocks(tmp_path / "blocks.csv")
    assert blocks.nats.sum() == pytest.approx(scores["nats"] + scores["spelling_nats"])
    assert blocks.characters.sum() == pytest.approx(scores["characters"])
    assert scores["judged_words"] == sum(len(WORD.findall(text)) for text in texts)
    assert scores["ci_low"] <= scores["bits_per_character"] <= scores["ci_high"]
    written = (tmp_path / "chapter.md").read_text()
    assert written.startswith("# Chapter 8\n\nThe zebra, quite new")
    assert "<unk>" not in written
    if spec["kind"] in ("words", "unigram"):
        assert " " in written.removeprefix("# Chapter 8\n\nThe zebra, quite new")[:200]
