from pathlib import Path

import numpy as np
import pytest

from nextchapter.tokens import encoding
from nextchapter.tokens.encoding import SplitFacts, encode_chapters
from nextchapter.tokens.registry import train_tokenizer


@pytest.fixture
def tokenizer_file(salad: str, tmp_path: Path) -> Path:
    train_tokenizer([salad[:9000]], {"kind": "words", "minimum_count": 2}).save(tmp_path / "tokenizer.model")
    return tmp_path / "tokenizer.model"


def test_two_processes_give_what_one_gives(tokenizer_file: Path, salad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [salad[start : start + 700] for start in range(0, 14_000, 700)]
    alone = list(encode_chapters(tokenizer_file, texts, processes=1))
    monkeypatch.setattr(encoding, "BATCH_CHARACTERS", 2000)
    together = list(encode_chapters(tokenizer_file, texts, processes=2))
    assert len(alone) == len(together) == 20
    for one, two in zip(alone, together, strict=True):
        assert np.array_equal(one.tokens, two.tokens)
        assert one[1:] == two[1:]


def test_texts_are_read_as_they_are_needed(tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BATCH_CHARACTERS", 10)
    read = []
    texts = (read.append(number) or "the and her" for number in range(1000))
    next(encode_chapters(tokenizer_file, texts, processes=1))
    assert len(read) == 2


def test_the_facts_of_a_closed_vocabulary_tell_what_it_left_out(tokenizer_file: Path) -> None:
    facts = SplitFacts(closed=True)
    for chapter in encode_chapters(tokenizer_file, ["the and", "the Zebra"], processes=1):
        facts.add(chapter)
    told = facts.as_json()
    assert (told["chapters"], told["tokens"], told["characters"], told["words"]) == (2, 6, 16, 4)
    assert told["unknown"]["characters"] == [0, 5]
    assert told["unknown"]["nats"][0] == 0 < told["unknown"]["nats"][1]
    assert "unknown" not in SplitFacts(closed=False).as_json()
