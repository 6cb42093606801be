import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextchapter.diagnostics.hopfield_passages import (
    CODES,
    choose_passages,
    corrupt,
    decode,
    encode,
    make_code,
    restore_passages,
)

ENGLISH = "the cat sat on a mat and a dog ran to her with him in fog for it was not so that he had been there".split()
RUSSIAN = "в начале было слово и он сказал что она не видит его а потом все стало тихо на этой земле".split()
CHINESE = [chr(0x4E00 + 7 * number) for number in range(400)]


def _text(words: list[str], join: str, stop: str, sentences: int = 400) -> str:
    generator = np.random.default_rng(0)
    return "".join(join.join(generator.choice(words, size=9)) + stop for _ in range(sentences))


TEXTS = [_text(ENGLISH, " ", ". "), _text(RUSSIAN, " ", "!» "), _text(CHINESE, "", "。"), _text(ENGLISH, " ", "\n")]


@pytest.mark.parametrize("text", TEXTS, ids=["english", "russian", "chinese", "verse"])
def test_passages_begin_with_sentences_and_are_spread_over_the_text(text: str) -> None:
    passages = choose_passages([text], most=20, characters=30)
    assert len(passages) == len(set(passages)) == 20
    plain = " ".join(text.split())
    places = [plain.index(passage) for passage in passages]
    assert places == sorted(places)
    assert all(not place or plain[:place].rstrip()[-1] in ".»。" or text[place - 1] == "\n" for place in places)
    stride = (len(text) - 29) / 20
    assert all(number * stride <= place <= (number + 1) * stride for number, place in enumerate(places) if number)


@settings(max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=5), st.integers(1, 30), st.integers(1, 20))
def test_passages_of_any_texts_are_pieces_of_them_of_one_length(texts: list[str], most: int, characters: int) -> None:
    passages = choose_passages(texts, most, characters)
    plain = [" ".join(text.split()) for text in texts]
    assert len(set(passages)) == len(passages) <= most
    assert all(len(passage) == characters for passage in passages)
    # A passage may end with the space between two words of its text.
    assert all(any(passage in f"{text} " for text in plain) for passage in passages)


def test_a_short_text_has_few_passages_and_a_shorter_one_none() -> None:
    assert choose_passages(["one two three four"], 5, 18) == ["one two three four"]
    assert choose_passages(["one two three four"], 5, 19) == []
    assert choose_passages(["too short", "one two three. Four five six."], 1, 14) == ["Four five six."]
    assert choose_passages([], 5, 3) == []


def test_a_share_of_the_characters_is_wrong_and_is_any_other() -> None:
    numbers = np.zeros((500, 20), dtype=int)
    wrong = corrupt(numbers, 5, 0.2, np.random.default_rng(0))
    assert ((wrong != 0).sum(axis=1) == 4).all()
    assert np.bincount(wrong.ravel())[1:] == pytest.approx(500, rel=0.15)
    assert (numbers == 0).all()
    assert (corrupt(numbers, 2, 0.001, np.random.default_rng(0)).sum(axis=1) == 1).all()


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("text", TEXTS[:3], ids=["english", "russian", "chinese"])
def test_what_is_encoded_is_decoded(kind: str, text: str) -> None:
    passages = [[ord(character) for character in passage] for passage in choose_passages([text], 30, 25)]
    alphabet, numbers = np.unique(passages, return_inverse=True)
    code, symbols = make_code(kind, numbers, alphabet, 32, np.random.default_rng(0))
    patterns = encode(code, symbols)
    assert (patterns.shape, patterns.dtype) == ((30, 25 * 32), np.float32)
    assert set(np.unique(patterns)) == {-1.0, 1.0}
    assert (decode(code, patterns) == numbers).all()


def test_bits_are_those_of_the_character_and_pairs_tell_what_stood_before() -> None:
    alphabet, numbers = np.array([ord("a"), ord("b")]), np.array([[0, 1, 1]])
    bits, symbols = make_code("bits", numbers, alphabet, 8, np.random.default_rng(0))
    spelled = "".join("1" if bit > 0 else "0" for bit in reversed(encode(bits, symbols)[0, :8]))
    assert int(spelled, 2) == ord("a")
    pairs, symbols = make_code("pairs", numbers, alphabet, 8, np.random.default_rng(0))
    assert len(set(symbols[0])) == 3  # aa, ab, bb
    assert pairs.characters[symbols[0]].tolist() == [0, 1, 1]


def test_the_less_passages_have_in_common_the_more_come_back_and_the_modern_network_holds_them_all() -> None:
    passages = choose_passages([TEXTS[0]], 128, 24)
    record = restore_passages(passages, bits=24, corrupted_share=0.2, seed=1)
    assert record["counts"] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert record["neurons"] == 24 * 24
    assert record["corrupted_right"] == pytest.approx(19 / 24, abs=1e-4)
    likeness, right = record["likeness"], record["right"]
    assert likeness["bits"] > likeness["characters"] > likeness["pairs"] > 0
    held = {kind: sum(share > 0.97 for share in right[kind]) for kind in right}
    assert held["bits"] < held["characters"] < held["pairs"] < held["modern"] == 8
    assert right["pairs"][3] > 0.99  # eight passages
    assert right["pairs"][-1] < 0.5


def test_the_samples_are_whole_passages_at_both_loads_and_seed_decides_all() -> None:
    passages = choose_passages([TEXTS[2]], 12, 20)
    record = restore_passages(passages, bits=24, corrupted_share=0.2, seed=1)
    assert record["counts"] == [1, 2, 4, 8, 12]
    assert [sample["stored"] for sample in record["samples"]] == [8, 12]
    for sample in record["samples"]:
        for original, corrupted, classical, modern in sample["passages"]:
            assert original in passages
            assert sum(one != other for one, other in zip(original, corrupted, strict=True)) == 4
            assert classical == modern == original
    assert record == restore_passages(passages, bits=24, corrupted_share=0.2, seed=1)
    assert record != restore_passages(passages, bits=24, corrupted_share=0.2, seed=2)


def test_two_passages_are_enough() -> None:
    record = restore_passages(["abcdefgh", "hgfedcba"], bits=24, corrupted_share=0.1, seed=1)
    assert record["counts"] == [1, 2]
    assert record["right"]["modern"] == [1.0, 1.0]
    assert [sample["stored"] for sample in record["samples"]] == [2]
