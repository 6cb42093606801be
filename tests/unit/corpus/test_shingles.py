import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import shingles
from nextchapter.corpus.shingles import containment, hash_ngrams, hash_shingles, hash_words, jaccard, sampled, union
from nextchapter.corpus.words import WORD

TEXTS = st.text(st.sampled_from("ab B'-,.\n 中文éÉß"), max_size=60)


def words_of(text: str) -> list[str]:
    return WORD.findall(text.casefold())


def ngrams_of(text: str, n: int) -> list[tuple[str, ...]]:
    words = words_of(text)
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


@given(TEXTS, TEXTS, st.integers(1, 6))
def test_hashes_are_equal_where_the_words_are(first: str, second: str, n: int) -> None:
    hashes = np.concatenate([hash_ngrams(hash_words(text), n) for text in (first, second)]).tolist()
    ngrams = ngrams_of(first, n) + ngrams_of(second, n)
    assert len(hashes) == len(ngrams)
    assert len(set(zip(hashes, ngrams, strict=True))) == len(set(hashes)) == len(set(ngrams))


@given(TEXTS, TEXTS)
def test_likeness_is_that_of_the_sets_of_5_grams(first: str, second: str) -> None:
    sets = [set(ngrams_of(text, 5)) or {tuple(words_of(text))} - {()} for text in (first, second)]
    hashes = [np.unique(hash_shingles(text, 5)) for text in (first, second)]
    one, other = sets
    assert jaccard(*hashes) == (len(one & other) / len(one | other) if one | other else 0)
    assert containment(*hashes) == (len(one & other) / len(one) if one else 0)
    assert len(union(hashes)) == len(one | other)


def test_the_order_of_words_counts() -> None:
    assert not np.intersect1d(hash_shingles("a b c d e", 5), hash_shingles("b a c d e", 5)).size
    assert hash_ngrams(hash_words("a a b"), 2)[0] != hash_ngrams(hash_words("a b b"), 2)[1]


def test_fewer_words_than_an_ngram_are_one_shingle() -> None:
    assert len(hash_shingles("The End.", 5)) == len(hash_shingles("the end", 5)) == 1
    assert hash_shingles("The End.", 5) == hash_shingles("the END!", 5) != hash_shingles("the other end", 5)
    assert hash_shingles(" * * * ", 5).size == 0


@given(st.text(st.sampled_from("abcd'- \n中é"), max_size=200), st.integers(8, 30))
def test_blocks_change_nothing_where_they_can_be_cut_at_white_space(text: str, characters: int) -> None:
    text = re.sub(r"(\S{7})", r"\1 ", text)
    whole = hash_words(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingles, "_BLOCK_CHARACTERS", characters)
        assert hash_words(text).tolist() == whole.tolist()


def test_a_text_without_white_space_ends() -> None:
    assert len(hash_words("x" * 2_500_000)) == 3
    assert len(hash_words("中" * 1_500_000)) == 1_500_000


def test_words_beyond_the_vocabulary_are_hashed_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"w{number % 7}" for number in range(50))
    whole = hash_words(text)
    monkeypatch.setattr(shingles, "_VOCABULARY_MAX", 3)
    monkeypatch.setattr(shingles, "_VOCABULARY", shingles._Vocabulary())
    assert hash_words(text).tolist() == whole.tolist()
    assert len(shingles._VOCABULARY) <= 3


def test_a_lone_surrogate_is_a_letter_like_any_other() -> None:
    assert len(hash_words("a\ud800b " + unicodedata.lookup("LATIN SMALL LETTER A"))) in (2, 3)


def test_a_sample_is_one_in_so_many_and_the_same_for_every_text() -> None:
    many = hash_shingles(" ".join(map(str, range(100_000))), 5)
    part = sampled(many, 32)
    assert len(part) == pytest.approx(100_000 / 32, abs=4 * (100_000 / 32) ** 0.5)
    assert set(sampled(many[::2], 32).tolist()) == set(part.tolist()) & set(many[::2].tolist())
    assert sampled(many, 1).tolist() == many.tolist()
