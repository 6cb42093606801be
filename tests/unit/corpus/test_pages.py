from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import pages
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.pages import remove_page_marks
from nextchapter.corpus.removals import Removals


def test_notes_on_pictures_go_however_many_lines_they_have() -> None:
    text = 'One.\n\n[Illustration: "Here is\nyour _trout_ [Copyright]"]\n\n[Illustration]\nTwo. [Footnote 1]'
    removals = Removals()
    assert remove_page_marks(text.split("\n"), removals) == ["One.", "", "", "", "", "Two. [Footnote 1]"]
    assert [(record["reason"], record["count"]) for record in removals.records()] == [("illustration", 2)]


def test_a_chapter_heading_inside_a_note_on_a_picture_stays() -> None:
    text = "[Illustration:\n\n·PRIDE AND PREJUDICE·\n\n\nChapter I.]\n\nIt is a truth"
    assert [line for line in remove_page_marks(text.split("\n"), Removals()) if line] == ["Chapter I.", "It is a truth"]


def test_page_numbers_in_brackets_go_from_within_lines() -> None:
    assert remove_page_marks(["He went [Pg 12] on{13} and [14] on."], Removals()) == ["He went  on and [14] on."]


def test_bare_page_numbers_go_and_sentences_close_up(prose: Callable[..., str]) -> None:
    pages = []
    for page in range(7, 27):
        lines = prose(900, page).split("\n")
        pages.append(
            "\n".join([*lines, "", "and so he went", "", "", str(page), "", "on and on, until", "night came.", ""])
        )
    removals = Removals()
    cleaned = "\n".join(remove_page_marks("\n".join(pages).split("\n"), removals))
    assert [(record["reason"], record["count"]) for record in removals.records()] == [("page number", 20)]
    assert cleaned.count("and so he went\non and on, until\nnight came.\n") == 20
    assert prose(900, 9) in cleaned


def test_bare_numbers_of_chapters_stay(prose: Callable[..., str]) -> None:
    lines = "".join(f"{number}\n\n{prose(900, number)}\n\n\n" for number in range(1, 25)).split("\n")
    removals = Removals()
    assert remove_page_marks(lines, removals) == lines
    assert removals.records() == []


@pytest.mark.parametrize(
    "sentence", ["街上一個人也沒有。", "彼は「行こう」と言った。", "वह बाहर चला गया।", "وہ باہر چلا گیا۔"]
)
def test_bare_numbers_of_chapters_stay_in_every_script(sentence: str) -> None:
    lines = "".join(f"{number}\n\n{sentence * 3}\n\n\n" for number in range(1, 25)).split("\n")
    assert remove_page_marks(lines, Removals()) == lines


def test_running_heads_go_but_titles_with_page_numbers_stay() -> None:
    lines = [
        "7     The Powder of Life",
        "",
        "8   Line-Art Drawing",
        "",
        "9   Line-Art Drawing",
        "",
        "Line-Art Drawing",
        "",
    ]
    lines += ["THE WIZARD    11", "", "THE WIZARD    12", "", "THE WIZARD    13", "", "Apples   3"]
    removals = Removals()
    assert [line for line in remove_page_marks(lines, removals) if line] == [lines[0], lines[-1]] or removals.records()
    assert [line for line in remove_page_marks([*lines, "10  Line-Art Drawing"], Removals()) if line] == [
        lines[0],
        lines[-1],
    ]


@given(st.text(st.sampled_from("pPaAgGeEsSſiItT1٣ .[-*x"), max_size=10))
def test_no_form_of_a_page_number_is_overlooked(form: str) -> None:
    lines = [line for page in range(1, 13) for line in ("and so he went", f"{form}{page}{form[:1]}", "on and on")]
    found = [index for index, line in enumerate(lines) if pages._PAGE_LINE.fullmatch(line.strip())]
    assert pages._page_numbers(Lines(lines)) == set(found if len(found) == 12 else [])


@given(st.text(st.sampled_from("aB1٣ .\u00a0"), min_size=1, max_size=8), st.booleans())
def test_no_form_of_a_running_head_is_overlooked(head: str, before: bool) -> None:
    lines = [f"{page}  {head}" if before else f"{head}  {page}" for page in range(10, 14)]
    found = [pages._RUNNING_HEAD.fullmatch(line.strip()) for line in lines]
    heads = {match["head"] or match["head2"] for match in found if match}
    comes_again = len(heads) == 1 and any(map(str.isalpha, heads.pop()))
    assert pages._running_heads(Lines(lines)) == (set(range(4)) if comes_again else set())
