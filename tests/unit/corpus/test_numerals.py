import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nextchapter.corpus import numerals
from nextchapter.corpus.numerals import START, fold, may_begin_number, read_han_number, read_number
from nextchapter.generation.headings import number_words, roman


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12.", 12),
        ("2nd", 2),
        ("1re", 1),
        ("IIII", 4),
        ("XIV.", 14),
        ("\u0425\u0406V", 14),  # Cyrillic letters typed for Latin ones
        ("Ⅻ", 12),
        ("Twenty Three", 23),
        ("TWENTY-FIRST", 21),
        ("One Hundred and Twenty-Third", 123),
        ("Two hundred", 200),
        ("Erstes", 1),
        ("Siebenzehntes", None),
        ("Siebzehntes", 17),
        ("Einundzwanzigstes", 21),
        ("vijfentwintigste", 25),
        ("tjugoförsta", 21),
        ("PREMIÈRE", 1),
        ("dix-septième", 17),
        ("vingt et unième", 21),
        ("Décimo tercero", 13),
        ("Trentesimo", 30),
        ("двадцать первая", 21),
        ("Седьмая", 7),
        ("П’ЯТИЙ", 5),
        ("дев'ятнадцята", None),
        ("дев'ятнадцятий", 19),
        ("В'язень", None),
        ("двадцять перший", 21),
        ("двадесет и първа", 21),
        ("трећа", 3),
        ("dvadeset prva", 21),
        ("Vinte e um", 21),
        ("dezoito", 18),
        ("Secunda", 2),
        ("kolmas", 3),
    ],
)
def test_numbers_as_books_print_them(text: str, number: int | None) -> None:
    read = read_number(text)
    assert (read[0] if read else None) == number


@pytest.mark.parametrize(
    "text", ["", "MIX", "Civil", "the", "IXI", "VIVID", "twentyish", "12th-century's", "XLXL", "One's"]
)
def test_words_that_only_look_like_numbers(text: str) -> None:
    read = read_number(text)
    assert read is None or read[1]


def test_what_follows_is_handed_back() -> None:
    assert read_number("IV. The Road") == (4, ". The Road")
    assert read_number("three and the rest") == (3, " and the rest")
    assert read_number("Erstes Kapitel") == (1, " Kapitel")


@given(st.integers(1, 399))
def test_roman_numerals_of_all_chapters(number: int) -> None:
    assert read_number(roman(number)) == (number, "")


@given(st.integers(1, 99), st.sampled_from(" -"))
def test_english_words_of_all_chapters(number: int, joint: str) -> None:
    assert read_number(number_words(number, joint).upper()) == (number, "")


@pytest.mark.parametrize(
    ("text", "number"),
    [("十", 10), ("十二", 12), ("二十三", 23), ("一百二十", 120), ("一〇五", 105), ("２３", 23), ("甲", None)],
)
def test_chinese_numbers(text: str, number: int | None) -> None:
    assert read_han_number(text) == number


COMPOUNDS = st.tuples(
    st.sampled_from(sorted(numerals._VALUES)),
    st.sampled_from(["", "und", "en", "og"]),
    st.sampled_from(sorted(numerals._VALUES)),
).map("".join)
ACCENTED = st.text(st.sampled_from("oneuéİıſßﾞ\u0301Ⅻ\u0425IVX12²Ａ_-. "), max_size=6)


@example("стоодин", str.lower)
@given(COMPOUNDS | ACCENTED | st.text(max_size=6), st.sampled_from([str.lower, str.upper, str.title]))
def test_what_reads_as_a_number_may_begin_one(text: str, case: Callable[[str], str]) -> None:
    if read_number(case(text)) is not None:
        assert may_begin_number(case(text)[:START])


def test_most_words_begin_no_number() -> None:
    assert not any(map(may_begin_number, ["the", "his", "Sai", "—", "he", "оте", "été", ""]))


@given(st.text(max_size=8))
def test_folding_leaves_neither_case_nor_accents(word: str) -> None:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    assert fold(word) == "".join(character for character in decomposed if not unicodedata.combining(character))
