from collections import Counter
from pathlib import Path

from nextchapter.corpus.frequencies import place_words, read_words, write_words
from nextchapter.corpus.words import WORD

TRAIN = ["The cat sat. The cat's mat.", "a cat, the well-known 中国 cat"]
TEXTS = ["The  dog:\n\ncat's well-known", "", "中 a"]


def test_each_word_stands_where_it_stands_with_the_space_before_it() -> None:
    for text, words in zip(TEXTS, place_words(TEXTS, TRAIN), strict=True):
        cut = [text[start:end] for start, end in zip(words.starts, words.ends, strict=True)]
        assert [word.lstrip() for word in cut] == WORD.findall(text)
        assert all("\n" not in word for word in cut)
    first, _, _ = place_words(TEXTS, TRAIN)
    assert (first.starts.tolist(), first.ends.tolist()) == ([0, 3, 11, 16], [3, 8, 16, 27])


def test_words_are_counted_as_they_are_spelled() -> None:
    counts = Counter(word for text in TRAIN for word in WORD.findall(text))
    for text, words in zip(TEXTS, place_words(TEXTS, iter(TRAIN)), strict=True):
        assert words.train_counts.tolist() == [counts[word] for word in WORD.findall(text)]
    assert place_words(["the cat The"], TRAIN)[0].train_counts.tolist() == [1, 3, 2]


def test_what_is_written_is_read_back_chapter_by_chapter(tmp_path: Path) -> None:
    written = place_words(TEXTS, TRAIN)
    write_words(tmp_path / "words.parquet", written)
    read = list(read_words(tmp_path / "words.parquet", len(TEXTS)))
    assert [[part.tolist() for part in words] for words in read] == [
        [part.tolist() for part in words] for words in written
    ]
