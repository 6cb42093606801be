import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.characters import repair_characters
from nextchapter.corpus.removals import Removals, Repairs, ink


def test_all_line_ends_become_one() -> None:
    assert repair_characters("a\r\nb\rc\u2028d\u0085e\n", Removals(), Repairs()) == "a\nb\nc\nd\ne\n"


def test_a_form_feed_ends_a_line_but_makes_no_new_one() -> None:
    assert (
        repair_characters("end.\n\fCHAPTER II\f\nmore\ftext", Removals(), Repairs()) == "end.\nCHAPTER II\nmore\ntext"
    )


def test_letters_and_accents_are_composed() -> None:
    assert repair_characters("e\u0301te\u0301 и\u0301", Removals(), Repairs()) == "été и\u0301"


def test_soft_hyphens_and_controls_go_and_are_counted() -> None:
    removals = Removals()
    assert repair_characters("exam\u00ad\n  ple\x00 \x1ax\ufeff", removals, Repairs()) == "example x"
    assert [(record["reason"], record["count"]) for record in removals.records()] == [
        ("soft hyphen", 1),
        ("control character", 3),
    ]


@given(st.text())
def test_nothing_goes_that_is_not_counted(text: str) -> None:
    removals = Removals()
    repaired = repair_characters(text, removals, Repairs())
    removed = sum(record["characters"] for record in removals.records())
    composed = ink(unicodedata.normalize("NFC", text))
    assert "\r" not in repaired
    assert unicodedata.is_normalized("NFC", repaired)
    assert composed >= ink(repaired) >= composed - removed - 2 * len(removals.records()) - removed
