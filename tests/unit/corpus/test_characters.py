import re
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nextchapter.corpus.characters import repair_characters
from nextchapter.corpus.document import heading_line
from nextchapter.corpus.mojibake import repair_mojibake
from nextchapter.corpus.removals import Removals, Repairs, ink


def test_all_line_ends_become_one() -> None:
    assert repair_characters("a\r\nb\rc\u2028d\u0085e\n", Removals()) == "a\nb\nc\nd\ne\n"


def test_a_form_feed_ends_a_line_but_makes_no_new_one() -> None:
    assert repair_characters("end.\n\fCHAPTER II\f\nmore\ftext", Removals()) == "end.\nCHAPTER II\nmore\ntext"


def test_letters_and_accents_are_composed_and_counted() -> None:
    removals = Removals()
    assert repair_characters("e\u0301te\u0301 и\u0301", removals) == "été и\u0301"
    (record,) = removals.repairs.records()
    assert (record["reason"], record["count"]) == ("composed letters (NFC)", 2)


def test_ligatures_become_letters_and_are_counted() -> None:
    removals = Removals()
    assert repair_characters("a ﬁne oﬃce, ﬂuﬀy; ﬆraﬅ", removals) == "a fine office, fluffy; strast"
    assert removals.repairs.records() == [{"reason": "ligatures", "count": 6, "sample": "a ﬁne oﬃce, ﬂuﬀy; ﬆraﬅ"}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\nb\r\nc", [("line ends CRLF", 2)]),
        ("a\rb\rc\rd", [("lone CR line ends", 3)]),
        ("a\r\nb\rc\u2028d", [("line ends CRLF", 1), ("lone CR line ends", 1), ("Unicode line ends", 1)]),
        ("a\nb", []),
    ],
)
def test_line_ends_are_counted(text: str, expected: list[tuple[str, int]]) -> None:
    removals = Removals()
    repair_characters(text, removals)
    assert [(record["reason"], record["count"]) for record in removals.repairs.records()] == expected


def test_the_sign_of_a_heading_stays_where_it_can_be_one() -> None:
    text = heading_line(2, "CHAPTER I") + "\n\x02none \x02\n" + heading_line(1, "II")
    assert repair_characters(text, Removals()) == f"{heading_line(2, 'CHAPTER I')}\nnone \n{heading_line(1, 'II')}"


def test_soft_hyphens_and_controls_go_and_are_counted() -> None:
    removals = Removals()
    assert repair_characters("exam\u00ad\n  ple\x00 \x1ax\ufeff", removals) == "example x"
    assert [(record["reason"], record["count"]) for record in removals.records()] == [
        ("soft hyphen", 1),
        ("control character", 3),
    ]


@given(st.text())
def test_nothing_goes_that_is_not_counted(text: str) -> None:
    assume(repair_mojibake(text, Repairs()) == text)
    removals = Removals()
    repaired = repair_characters(text, removals)
    removed = sum(record["characters"] for record in removals.records())
    spelled = ink(
        unicodedata.normalize(
            "NFC", re.sub("[\ufb00-\ufb06]", lambda found: unicodedata.normalize("NFKC", found[0]), text)
        )
    )
    assert "\r" not in repaired
    assert unicodedata.is_normalized("NFC", repaired)
    assert spelled + 2 >= ink(repaired) >= spelled - 2 * removed - 2 * len(removals.records())
