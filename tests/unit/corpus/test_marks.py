from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import marks
from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import Mark, find_marks, is_chapter_heading
from nextchapter.corpus.numerals import fold


@pytest.mark.parametrize(
    ("line", "style", "number", "label", "title"),
    [
        ("CHAPTER I", "chapter", 1, "CHAPTER I", ""),
        ("Chapter 12.", "chapter", 12, "Chapter 12.", ""),
        ("CHAP. IV.", "chapter", 4, "CHAP. IV.", ""),
        ("Chapter Twenty Three", "chapter", 23, "Chapter Twenty Three", ""),
        ("CHAPTER I. Down the Rabbit-Hole", "chapter", 1, "CHAPTER I", ". Down the Rabbit-Hole"),
        ("CHAPTER 1--I Am Born", "chapter", 1, "CHAPTER 1", "--I Am Born"),
        ("## Chapter 3: Home", "chapter", 3, "Chapter 3", ": Home"),
        ("  _CHAPTER iv_", "chapter", 4, "CHAPTER iv", ""),
        ("Erstes Kapitel", "kapitel", 1, "Erstes Kapitel", ""),
        ("12. Kapitel", "kapitel", 12, "12. Kapitel", ""),
        ("CHAPITRE PREMIER", "chapitre", 1, "CHAPITRE PREMIER", ""),
        ("Capítulo II. Que trata", "capitulo", 2, "Capítulo II", ". Que trata"),
        ("Глава первая", "глава", 1, "Глава первая", ""),
        ("Розділ п’ятий", "розділ", 5, "Розділ п’ятий", ""),
        ("Първа глава", "глава", 1, "Първа глава", ""),
        ("Глава двадесет и първа", "глава", 21, "Глава двадесет и първа", ""),
        ("Glava treća", "glava", 3, "Glava treća", ""),
        ("CAPÍTULO UM", "capitulo", 1, "CAPÍTULO UM", ""),
        ("EERSTE HOOFDSTUK.", "hoofdstuk", 1, "EERSTE HOOFDSTUK.", ""),
        ("第十二回　甄士隱", "回", 12, "第十二回", "　甄士隱"),
        ("제3장 바람", fold("장"), 3, "제3장", " 바람"),
        ("제 12 장", fold("장"), 12, "제 12 장", ""),
        ("2부. 겨울", fold("부"), 2, "2부", ". 겨울"),
        ("अध्याय १", fold("अध्याय"), 1, "अध्याय १", ""),
        ("บทที่ 4 สายลม", fold("บทที่"), 4, "บทที่ 4", " สายลม"),
        ("STAVE ONE.", "stave", 1, "STAVE ONE.", ""),
        ("[BOOK I.  INSCRIPTIONS]", "book", 1, "BOOK I", ".  INSCRIPTIONS"),
        ("CHAPTER THE LAST.", "chapter", 1, "CHAPTER THE LAST.", ""),
        ("Book the Second--the Golden Thread", "book", 2, "Book the Second", "--the Golden Thread"),
        ("— IX —", "Roman numerals", 9, "IX", ""),
        ("[ 7 ]", "numbers", 7, "7", ""),
        ("One", "number words", 1, "One", ""),
        ("  15.  The Discovery of Oz", "numbers with titles", 15, "15", ".  The Discovery of Oz"),
        ("7          Tip Manufactures", "numbers with titles", 7, "7", "          Tip Manufactures"),
        ("3 THE AUDIENCE", "numbers with titles", 3, "3", " THE AUDIENCE"),
        ("II. First Blood", "Roman numerals with titles", 2, "II", ". First Blood"),
    ],
)
def test_headings_as_books_print_them(line: str, style: str, number: int, label: str, title: str) -> None:
    (mark,) = find_marks(["", line, ""])
    assert (mark.line, mark.style, mark.number, mark.label, mark.title) == (1, style, number, label, title)


@pytest.mark.parametrize(
    "line",
    [
        "Chapter 3 of the book describes a whale.",
        "chapter two was better than the first",
        "I. and so on",
        "1:1 In the beginning",
        "12 men came",
        "제3장에서는 바람이 분다",
        "It was in Chapter 4",
        "The Chapter",
        "CHAPTER",
        "Page twelve-and-a-half hours",
    ],
)
def test_sentences_are_no_headings(line: str) -> None:
    assert find_marks(["", line, ""]) == []


def test_a_reference_inside_a_paragraph_is_no_heading() -> None:
    assert (
        find_marks(["as was told in the book, see there", "Chapter XII. The Whale, and what", "came of it in the end"])
        == []
    )


def test_an_act_and_its_scene_on_one_line_are_two_marks() -> None:
    act, scene = find_marks(["ACT I. SCENE I.", ""])
    assert (act.style, act.label, act.is_volume) == ("act", "ACT I", True)
    assert (scene.style, scene.label, scene.is_volume) == ("scene", "SCENE I.", False)


def test_the_last_chapter_follows_the_one_before() -> None:
    marks = find_marks(["CHAPTER XLII", "", "CHAPTER THE LAST", "", "Letztes Kapitel"])
    assert [(mark.style, mark.number) for mark in marks] == [("chapter", 42), ("chapter", 43), ("kapitel", 1)]


def test_a_style_with_thousands_of_marks_marks_no_chapters() -> None:
    lines = [line for verse in range(2000) for line in (f"{verse}. Verse", "")]
    assert [mark.style for mark in find_marks([*lines, "CHAPTER I", ""])] == ["chapter"]


def test_only_a_bare_heading_is_a_chapter_heading() -> None:
    assert is_chapter_heading("Chapter I.")
    assert not is_chapter_heading("Chapter I. Loomings")
    assert not is_chapter_heading("BOOK I")
    assert not is_chapter_heading("")


WORDS = st.sampled_from(
    "Chapter CHAP. Kapitel BOOK Глава the The Das last Letztes Ultimo 第十二回 제3장 부 अध्याय บทที่ १ "
    "4 12. 3rd 5-я IV iv. XIV\u0425 Ⅻ I i "
    "C'est One two-hundred Zwei einundzwanzigstes Unen Première un vingt-et-un двадцать Сороковая Once thirsty civic "
    "illicit — * _ . : ) , went so A Title of the kind and\u00a0on".split(" ")
)
JOINTS = st.sampled_from(["", " ", " ", " ", "  ", ".", "-", "\t", "\u00a0"])
ANY_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=8)
LINES = st.lists(st.tuples(WORDS, JOINTS), max_size=6).map(lambda parts: "".join(map("".join, parts)))


def read_every_line(lines: Sequence[str]) -> Iterator[Mark]:
    """Read each line that stands where a mark may stand, without asking first whether it may hold a number."""
    after_mark = True
    for index, line in enumerate(lines):
        bare = line.strip().strip(marks._DECORATION)
        if not bare:
            continue
        blank_before = index == 0 or not lines[index - 1].strip()
        blank_after = index + 1 == len(lines) or not lines[index + 1].strip()
        found: list[Mark] = []
        if len(bare) <= 150 and (blank_before or blank_after or after_mark or len(bare) <= 30):
            found = list(marks._read_line(index, bare, blank_before or after_mark, blank_before, blank_after))
        after_mark = bool(found)
        yield from found


@given(st.lists(LINES | st.just("") | ANY_LINE | st.text("IVXl1 .一第第回", max_size=8), max_size=12))
def test_no_mark_is_lost_among_the_lines_that_are_not_read(lines: list[str]) -> None:
    expected = list(read_every_line(lines))
    assert list(marks._read_lines(Lines(lines))) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_may_begin_count", lambda start: True)
        assert list(marks._read_lines(Lines(lines))) == expected
