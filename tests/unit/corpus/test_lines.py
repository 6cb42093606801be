import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import lines as module
from nextchapter.corpus.lines import Lines, lines_holding, substitute

CHARACTERS = st.sampled_from("aB1٣ .\t\u00a0\u3000\x0b\x1c\u0085\u2028\r\u200b語𝟏𐐀\ud800") | st.characters()
TEXTS = st.text(CHARACTERS | st.just("\n") | st.just(" "), max_size=60)


@given(TEXTS)
def test_the_columns_are_what_each_line_says_alone(text: str) -> None:
    lines = text.split("\n")
    table = Lines(lines)
    stripped = [line.strip() for line in lines]
    blank = [not line for line in stripped]
    assert table.stripped == stripped
    assert table.lengths.tolist() == list(map(len, lines))
    assert table.widths.tolist() == list(map(len, stripped))
    assert table.is_blank.tolist() == blank
    assert table.blank_above.tolist() == [True, *blank[:-1]]
    assert table.blank_below.tolist() == [*blank[1:], True]
    assert table.ink.tolist() == [
        len("".join(line.split())) - sum("\udc00" <= sign <= "\udfff" for sign in line) for line in lines
    ]


@given(TEXTS)
def test_no_line_with_a_digit_or_with_other_white_space_is_overlooked(text: str) -> None:
    table = Lines(text.split("\n"))
    assert {index for index, line in enumerate(table) if any(map(str.isdecimal, line))} <= set(table.with_digits)
    assert table.with_digits == sorted(set(table.with_digits))
    if not table.has_other_space:
        assert all(line.replace(" ", "").split() in ([], [line.replace(" ", "")]) for line in table.stripped)


@given(TEXTS, st.text("aB.1\u00a0語", min_size=1, max_size=3))
def test_a_line_begins_and_ends_with_its_stripped_characters(text: str, signs: str) -> None:
    table = Lines(text.split("\n"))
    told = zip(table.stripped, table.begin_with(signs), table.end_with(signs), strict=True)
    assert all((begins, ends) == (line[0] in signs, line[-1] in signs) for line, begins, ends in told if line)


@given(TEXTS, st.sampled_from(["a", "*", "aa", "B1", "\u00a0"]))
def test_the_lines_that_hold_a_sign_are_found(text: str, sign: str) -> None:
    assert lines_holding(text, sign) == [index for index, line in enumerate(text.split("\n")) if sign in line]
    either = [index for index, line in enumerate(text.split("\n")) if sign in line or "é" in line]
    assert lines_holding(text, sign, "é") == either


@given(TEXTS, st.sampled_from(["[*1][^é]?", r"(\*|1)+B?", r"\*\*|1"]))
def test_substituting_where_signs_stand_is_substituting_everywhere(text: str, pattern: str) -> None:
    everywhere = re.sub(pattern, lambda found: f"<{found[0]}>", text)
    assert substitute(re.compile(pattern), "*1", lambda found: f"<{found[0]}>", text) == everywhere


def test_the_table_of_many_lines_is_that_of_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"  line {number} é" * (number % 3) for number in range(20)]
    whole = Lines(lines)
    expected = (whole.ink.tolist(), whole.with_digits, whole.begin_with("l").tolist(), whole.has_other_space)
    monkeypatch.setattr(module, "_LINES_AT_ONCE", 3)
    pieces = Lines(lines)
    assert (
        pieces.ink.tolist(),
        pieces.with_digits,
        pieces.begin_with("l").tolist(),
        pieces.has_other_space,
    ) == expected


def test_a_table_stays_the_same_and_may_be_empty() -> None:
    table = Lines([])
    assert Lines.of(table) is table
    assert (table.ink.tolist(), table.with_digits, table.blank_above.tolist(), table.has_other_space) == (
        [],
        [],
        [],
        False,
    )
