import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import lines
from nextchapter.corpus.words import WORD, count_words

TYPED = st.text(st.sampled_from("aé7я\u0301\u093fक_ '’-–.\n語ノ😀Ⅻ²\ud800"), max_size=60)


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), ("It isn't a-b-c.", 3), ("rock 'n' roll--well", 4), ("— 12th —", 1), ("文字 and", 3), ("l’été", 1)],
)
def test_words_as_a_reader_counts_them(text: str, count: int) -> None:
    assert count_words(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "किताब पढ़ना अच्छा है",
        "সে বই পড়তে ভালোবাসে",
        "அவன் புத்தகம் படிக்கிறான்",
        "שָׁלוֹם עוֹלָם",
        "الْكِتَابُ جَمِيلٌ",
        "i\u0307stanbul'a gitti",
    ],
)
def test_vowel_signs_and_accents_divide_no_word(text: str) -> None:
    assert count_words(text) == len(text.split())


def test_what_is_no_word_is_told_from_one_in_time_by_its_length() -> None:
    assert WORD.fullmatch("\u0995" * 10_000 + "!") is None


@given(TYPED | st.text(max_size=60))
def test_the_count_is_that_of_the_pattern(text: str) -> None:
    assert count_words(text) == len(WORD.findall(text))


@given(TYPED)
def test_a_long_text_is_counted_in_pieces(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_PIECE_CHARACTERS", 3)
        assert count_words(text) == len(WORD.findall(text))
