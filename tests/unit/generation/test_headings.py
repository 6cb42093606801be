import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.generation.headings import next_heading, number_words, roman


@pytest.mark.parametrize(
    ("headings", "following"),
    [
        (["Chapter 23", "Chapter 24"], "Chapter 25"),
        (["CHAPTER XIX"], "CHAPTER XX"),
        (["CHAPTER XIX."], "CHAPTER XX."),
        (["Chapter Twenty Three", "Chapter Twenty-Nine"], "Chapter Thirty"),
        (["CHAPTER NINETEEN"], "CHAPTER TWENTY"),
        (["Chapter Twenty One"], "Chapter Twenty Two"),
        (["24.  Home Again"], "25."),
        (["III"], "IV"),
        (["xiv"], "xv"),
        (["Глава 9"], "Глава 10"),
        (["CHAPTER XII. Alice's Evidence"], "CHAPTER XIII."),
        (["ACT V. SCENE VII"], "ACT VI."),
        (["CHAPTER 4", "Epilogue"], "CHAPTER 5"),
        (["", "", ""], "4"),
        (["The Beginning", "The End"], "Chapter 3"),
        (["第23章", "第24章"], "第25章"),
        (["第 9 回"], "第 10"),
        (["CHAPTER I THE BEGINNING"], "CHAPTER II"),
        (["Kapitel eins", "Kapitel zwei"], "Kapitel 3"),
        (["I Go to Sea", "One Day in June", "The Mix"], "Chapter 4"),
    ],
)
def test_the_next_heading_is_in_the_manner_of_the_last(headings: list[str], following: str) -> None:
    assert next_heading(headings) == following


@given(st.integers(1, 3998))
def test_roman_numerals_are_continued(number: int) -> None:
    assert next_heading([f"Chapter {roman(number)}"]) == f"Chapter {roman(number + 1)}"


@given(st.integers(1, 98))
def test_numbers_in_words_are_continued(number: int) -> None:
    assert next_heading([f"Chapter {number_words(number).title()}"]) == f"Chapter {number_words(number + 1).title()}"


def test_a_few_roman_numerals() -> None:
    assert [roman(number) for number in (4, 9, 14, 40, 90, 399, 1994)] == [
        "IV", "IX", "XIV", "XL", "XC", "CCCXCIX", "MCMXCIV"
    ]  # fmt: skip
