from collections.abc import Callable

import pytest

from nextchapter.corpus.notes import remove_notes
from nextchapter.corpus.removals import Removals


def clean(text: str) -> tuple[str, dict[str, int]]:
    removals = Removals()
    cleaned = remove_notes(text, removals)
    return cleaned, {record["reason"]: record["count"] for record in removals.records()}


def test_footnotes_that_say_so_go_with_their_marks() -> None:
    text = "He came[1] and went.[2]\n\n[Footnote 1: In 1811 [sic].\n\nSo they say.]\n\nOn. [Footnote 2: No.] End [sic]."
    assert clean(text) == ("He came and went.\n\n\n\nOn.  End [sic].", {"footnote": 2, "footnote mark": 2})


def test_footnotes_called_by_letters_go_with_their_marks_and_other_letters_stay() -> None:
    text = "He came[A] and went.[B] She [A] too, and [C]harles.[C]\n\n[Footnote A: In 1811.]\n\nOn. [Footnote B: No.]"
    expected = "He came and went. She  too, and [C]harles.[C]\n\n\n\nOn. "
    assert clean(text) == (expected, {"footnote": 2, "footnote mark": 3})


@pytest.mark.parametrize(("opening", "closing"), ["[]", "{}"])
def test_notes_that_begin_with_their_marks_go(opening: str, closing: str) -> None:
    marks = [f"{opening}{number}{closing}" for number in (1, 2, 3)]
    text = f"He{marks[0]} came, {marks[1]} and he\nwent{marks[2]}.\n\nOn.\n\n" + "\n\n".join(
        f"{mark} A note\nof two lines." for mark in marks
    )
    assert clean(f"{text}\n\nEnd.") == (
        "He came,  and he\nwent.\n\nOn.\n\nEnd.",
        {"footnote": 3, "footnote mark": 3},
    )


def test_marks_without_notes_go_where_they_are_many_and_count_up() -> None:
    text = " ".join(f"Word[{number}] and" for number in range(1, 9))
    assert clean(text) == (" ".join(["Word and"] * 8), {"footnote mark": 8})


def test_raised_numbers_behind_words_are_marks_where_they_count_up() -> None:
    text = "".join(f"Il vint{digit} et dit. " for digit in "¹²³⁴⁵⁶")
    assert clean(text) == ("Il vint et dit. " * 6, {"footnote mark": 6})


@pytest.mark.parametrize(
    "text",
    [
        "The house [12] stood.",
        "A field of 30 m² and one of 20 m² and 3 km² and 4 m² and 5 m², 6 m³.",
        "Line [1] is kept. Line [7], line [3], line [7], line [2], line [9].",
        "[1] A list\n\n[2] that counts\n\n[3] but has no marks\n\nin the text.",
        "He said [so they say] no. {curly} [a]",
    ],
)
def test_other_numbers_and_brackets_stay(text: str) -> None:
    assert clean(text) == (text, {})


@pytest.mark.parametrize(
    "note",
    [
        "[Transcriber's Note: Spelling\nis kept.]",
        "[Transcriber’s Notes:\n\nTwo [2] things.]",
        "Transcriber's Note: Spelling is kept,\nand so is all else.",
        "[Anmerkungen zur Transkription: Die Schreibweise bleibt.]",
        "Note du transcripteur: l'orthographe est conservée.",
        "[Nota del transcriptor: se conserva.]",
        "Nota del trascrittore: l'ortografia è conservata.",
        "Anmerkung des Bearbeiters: Die Rechtschreibung blieb.",
    ],
)
def test_what_a_transcriber_says_goes(note: str, prose: Callable[..., str]) -> None:
    text, removed = clean(f"{prose(300)}\n\n{note}\n\n{prose(300, 1)}")
    assert removed == {"transcriber's note": 1}
    assert [part for part in text.split("\n\n") if part] == f"{prose(300)}\n\n{prose(300, 1)}".split("\n\n")


def test_a_bracket_that_never_closes_takes_nothing_with_it(prose: Callable[..., str]) -> None:
    text = f"One. [Footnote 1: open\n\n{prose(30_000)}"
    assert clean(text) == (text, {})
