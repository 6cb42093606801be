from collections import Counter

import numpy as np
import pytest

from nextchapter.spec.tokens import WordsSpec
from nextchapter.tokens.spelling import SpellingModel
from nextchapter.tokens.words import WordsTokenizer, count_distinct, sample_words

TEXT = "the cat sat. the dog sat. the cat ran off.\n\nthe owl sat."


def _tokenizer(**spec: object) -> WordsTokenizer:
    return WordsTokenizer.train([TEXT], WordsSpec.model_validate(spec))


def test_the_vocabulary_holds_the_frequent_words_first() -> None:
    tokenizer = _tokenizer(minimum_count=2)
    texts = [tokenizer.token_text(token) for token in range(tokenizer.vocabulary_size)]
    assert texts == ["<unk>", "<end-of-chapter>", "\n\n", "\n", " ", "<join>", ".", "the", "sat", "cat"]
    assert tokenizer.decode(tokenizer.encode("the owl sat, the cat.\n\nthe")) == "the <unk> sat<unk> the cat.\n\nthe"
    assert _tokenizer(minimum_count=1, vocabulary_size=10).payload() == tokenizer.payload()


def test_unknown_words_are_charged_by_the_rare_words_of_the_training_text() -> None:
    tokenizer = _tokenizer(minimum_count=2)
    rare = SpellingModel({"dog": 1, "ran": 1, "off": 1, "owl": 1})
    encoded = tokenizer.encode_text("the fox sat. the fox, the hen.")
    assert encoded.spelling_nats == pytest.approx(2 * rare.nats("fox") + rare.nats("hen") + rare.nats(","))
    assert encoded.unknown_characters == 10
    assert tokenizer.count_characters(encoded.tokens).sum() + 10 == encoded.characters == 30


def test_where_all_words_are_known_those_that_occur_least_teach_spelling() -> None:
    tokenizer = _tokenizer(minimum_count=1)
    assert tokenizer.spelling_nats("owls") == SpellingModel({"dog": 1, "ran": 1, "off": 1, "owl": 1}).nats("owls")


def test_a_benchmark_s_own_unknown_words_cost_nothing_to_spell() -> None:
    spec = WordsSpec(pretokenized=True, minimum_count=1)
    tokenizer = WordsTokenizer.train([" a <unk> b \n c c"], spec)
    encoded = tokenizer.encode_text(" a <unk> c \n")
    assert encoded.tokens.tolist() == [tokenizer.encode("a")[0], 0, tokenizer.encode("c")[0], 1]
    assert encoded.spelling_nats == 0
    assert encoded.characters == len("a <unk> c\n\n")
    assert tokenizer.encode_text("a x").spelling_nats == pytest.approx(SpellingModel({"a": 1, "b": 1}).nats("x"))
    assert tokenizer.vocabulary_size == 5


def _parts(count: int = 30, size: int = 2000) -> list[list[str]]:
    """Return words by Zipf's law, most of them rare."""
    drawn = np.random.default_rng(0).zipf(1.3, (count, size))
    return [[f"w{rank}" for rank in row] for row in drawn]


def test_up_to_the_bound_words_are_counted_exactly() -> None:
    exact = Counter(word for part in _parts() for word in part)
    assert count_distinct(_parts(), len(exact)) == exact


def test_beyond_the_bound_memory_is_bounded_and_frequent_words_keep_their_counts() -> None:
    exact = Counter(word for part in _parts() for word in part)
    most = 1500
    found = count_distinct(_parts(), most)
    assert len(found) <= most < len(exact) / 4
    assert all(found[word] <= count for word, count in exact.items())
    frequent = [word for word, _ in exact.most_common(50)]
    assert all(found[word] >= 0.99 * exact[word] for word in frequent)


def test_spelling_is_learned_from_a_bounded_sample_that_no_order_changes() -> None:
    words = [f"word{number}" for number in range(500)]
    sample = sample_words(words, 100)
    assert len(set(sample)) == 100
    assert sample == sample_words(words[::-1], 100)
    assert {int(word[4:]) // 100 for word in sample} == {0, 1, 2, 3, 4}
    assert sample_words(words, 500) == words


def test_the_bound_of_the_specification_holds_in_training() -> None:
    text = " ".join([*(f"rare{number}" for number in range(3000)), "cat cat dog dog dog"])
    tokenizer = WordsTokenizer.train([text, "cat"], WordsSpec(minimum_count=1, counted_words=1000))
    assert tokenizer.vocabulary_size == len(("<unk>", "<end-of-chapter>", "paragraph", "line", "space", "join")) + 2
