from pathlib import Path

import pandas as pd
import pytest

from nextchapter.tokens.registry import train_tokenizer
from nextchapter.tokens.stream import write_stream
from nextchapter.tokens.texts import ChapterTexts, count_pretokenized, read_pretokenized, sample_texts

WIKITEXT = Path(__file__).parents[4] / "shared/data/wikitext-2"


def test_the_texts_of_a_table_can_be_read_again_and_again(tmp_path: Path) -> None:
    written = [f"chapter {number}" for number in range(200)]
    pd.DataFrame({"chapter": range(200), "text": written}).to_parquet(tmp_path / "t", row_group_size=70)
    texts = ChapterTexts(tmp_path / "t")
    assert list(texts) == list(texts) == written


def test_a_sample_keeps_its_limit_and_is_spread_over_all_texts() -> None:
    texts = [f"{number % 10} é" * 5000 for number in range(40)]
    size = sum(len(text.encode()) for text in texts)
    sample = sample_texts(texts, size / 4e6)
    taken = sum(len(piece.encode()) for piece in sample)
    assert size / 4 - 20_000 < taken <= size / 4
    assert len({piece[0] for piece in sample}) > 5
    assert all(any(piece in text for text in texts) for piece in sample)


def test_what_fits_is_taken_whole() -> None:
    assert sample_texts(["one", "two"], 0.000006) == ["one", "two"]
    assert sample_texts(["one", "two"], 0.000005) == ["two"]


@pytest.mark.skipif(not WIKITEXT.is_dir(), reason="needs ../shared/data/wikitext-2 beside the checkout")
def test_wikitext_has_the_tokens_and_types_that_the_field_counts(tmp_path: Path) -> None:
    texts = {}
    for split in ("train", "valid", "test"):
        texts[split] = list(read_pretokenized(WIKITEXT / f"wiki.{split}.tokens.xz"))
    everything = {"kind": "words", "pretokenized": True, "vocabulary_size": None, "minimum_count": 1}
    tokenizer = train_tokenizer(texts["train"], everything)
    counts = {}
    for split, parts in texts.items():
        encoded = [tokenizer.encode_text(part) for part in parts]
        assert sum(part.spelling_nats for part in encoded) == 0  # its own <unk> is a word of its text
        chapters = [part.tokens for part in encoded]
        counts[split] = len(
            write_stream(tmp_path / f"{split}.bin", chapters, tokenizer.end_of_chapter, "uint16").tokens
        )
        assert counts[split] == sum(map(count_pretokenized, parts))
    assert counts == {"train": 2_088_628, "valid": 217_646, "test": 245_569}
    assert tokenizer.vocabulary_size == 33_278
