import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.mojibake import repair_mojibake
from nextchapter.corpus.removals import Repairs

FRENCH = "L’été où je fus né, à Noël, la forêt était brûlée."
RUSSIAN = "Все счастливые семьи похожи друг на друга."


@pytest.mark.parametrize(
    ("text", "wrong"), [(FRENCH, "cp1252"), (FRENCH, "latin-1"), (RUSSIAN, "cp1251"), (RUSSIAN, "latin-1")]
)
def test_utf8_read_as_something_else_is_put_right_and_counted(text: str, wrong: str) -> None:
    misread = text.encode().decode(wrong, "ignore" if wrong == "cp1252" else "strict")
    repairs = Repairs()
    assert repair_mojibake(f"{misread}\n", repairs) == f"{text}\n"
    (record,) = repairs.records()
    assert record["reason"] == "mojibake"
    assert record["count"] >= 5
    assert record["sample"] in misread


def test_lines_that_are_right_stay_as_they_are_beside_wrong_ones() -> None:
    good = "“Ça va?” ‘Oui’, dit-elle… ﬁn, ２ ½ — e\u0301\n"
    assert repair_mojibake(f"{good}CafÃ© cafÃ©\n{good}", Repairs()) == f"{good}Café café\n{good}"


@pytest.mark.parametrize(
    "text",
    [
        FRENCH, RUSSIAN, "AÑO NUEVO, NÃO, CÂMARA «MÂT»", "“Smith” © 1905…", "ÎLE, Ñandú’s", "吾輩は猫である。", "×2 Ø",
        "plain",
    ],
)  # fmt: skip
def test_text_that_is_right_is_not_touched(text: str) -> None:
    repairs = Repairs()
    assert repair_mojibake(text * 3, repairs) == text * 3
    assert repairs.records() == []


def test_control_characters_become_the_signs_of_windows_1252() -> None:
    repairs = Repairs()
    assert repair_mojibake("don\x92t \x93stop\x94 é", repairs) == "don’t “stop” é"
    assert repairs.records()[0]["count"] == 3


@given(st.text(st.characters(max_codepoint=0xFF)))
def test_no_text_is_lost_between_the_pieces(text: str) -> None:
    repaired = repair_mojibake(text, Repairs())
    assert repaired.count("\n") == text.count("\n")
    assert not text.isascii() or repaired == text
