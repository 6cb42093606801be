from collections.abc import Callable, Sequence

import pytest

from nextchapter.corpus.chapters import NO_HEADINGS, Section, find_chapters
from nextchapter.corpus.document import heading_line
from nextchapter.corpus.removals import Removals, ink
from nextchapter.generation.headings import roman

Book = Callable[..., list[str]]
GERMAN = "Erstes Zweites Drittes Viertes Fünftes Sechstes Siebentes"
RUSSIAN = "первая вторая третья четвертая пятая шестая седьмая"
ITALIAN = "PRIMO SECONDO TERZO QUARTO QUINTO SESTO SETTIMO"
HAN = "一 二 三 四 五 六 七"
STORIES = ["The Sisters", "An Encounter", "Araby", "Eveline", "After the Race", "Two Gallants", "Clay"]


def headings_of(sections: Sequence[Section]) -> list[str]:
    return [section.heading for section in sections]


@pytest.mark.parametrize(
    "headings",
    [
        [f"CHAPTER {roman(number)}" for number in range(1, 20)],
        [f"Chapter {number}: The Road" for number in range(1, 8)],
        [f"{number}.  The Cyclone" for number in range(1, 8)],
        [f"{roman(number)}. A SCANDAL" for number in range(1, 8)],
        [f"{roman(number)}" for number in range(1, 8)],
        [f"[ {number} ]".strip("[] ") for number in range(1, 8)],
        ["One", "Two", "Three", "Four", "Five"],
        [f"{word} Kapitel" for word in GERMAN.split()],
        [f"{number}. Kapitel" for number in range(1, 8)],
        [f"Глава {word}" for word in RUSSIAN.split()],
        [f"CAPITOLO {word}." for word in ITALIAN.split()],
        [f"第{number}回 甄士隱夢幻" for number in HAN.split()],
        ["STAVE ONE.", "STAVE TWO.", "STAVE THREE.", "STAVE FOUR.", "STAVE FIVE."],
        [f"{number} THE THREE PRESENTS" for number in range(1, 8)],
        [f"CHAPTER {roman(number)}." for number in range(1, 8)] + ["CHAPTER THE LAST"],
        [title.upper() for title in STORIES],
        [f"Book {roman(number)}" for number in range(1, 13)],
        ["Chapter 7"],
    ],
    ids=lambda headings: headings[-1],
)
def test_each_manner_of_heading_is_found(book_of: Book, headings: list[str]) -> None:
    style, sections = find_chapters(book_of(headings), Removals())
    assert style != NO_HEADINGS
    assert headings_of(sections) == [" ".join(heading.split()) for heading in headings]


def test_chapters_hold_the_text_between_the_headings(book_of: Book, prose: Callable[..., str]) -> None:
    _, sections = find_chapters(book_of(["CHAPTER I", "CHAPTER II"]), Removals())
    assert "\n".join(sections[0].lines).strip() == prose(4000, 0)
    assert "\n".join(sections[1].lines).strip() == prose(1500, 1)


@pytest.mark.parametrize(
    ("entry", "heading"),
    [
        ("   {number}.  The Title {number}", "{number}.  The Title {number}"),
        ("CHAPTER {number}. The Title ........ {number}7", "CHAPTER {number}"),
        (f"CHAPTER {{number}}. {'Three invalids.--Sufferings of George.' * 3}\n{'So on. ' * 9}\n", "CHAPTER {number}."),
        ("{number}", "{number}"),
    ],
)  # fmt: skip
def test_a_table_of_contents_is_front_matter(book_of: Book, entry: str, heading: str) -> None:
    numbers = range(1, 10)
    contents = "CONTENTS\n\n" + "\n".join(entry.format(number=number) for number in numbers)
    removals = Removals()
    _, sections = find_chapters(book_of([heading.format(number=n) for n in numbers], contents), removals)
    assert headings_of(sections) == [" ".join(heading.format(number=n).split()) for n in numbers]
    (front,) = removals.records()
    assert (front["reason"], front["characters"]) == ("front matter", ink(contents))


def test_a_table_of_contents_at_the_end_is_removed(book_of: Book) -> None:
    table = "\n\n\nFIN\n\n\nTABLE DES MATIÈRES\n\n" + "\n".join(
        f"{roman(n)}. Où il est question.   {n}0" for n in range(1, 8)
    )
    removals = Removals()
    _, sections = find_chapters(book_of([f"{roman(number)}" for number in range(1, 8)], end=table), removals)
    assert len(sections) == 7
    assert sections[-1].lines[-1] == "FIN"
    assert [record["reason"] for record in removals.records()] == ["table of contents"]


def test_numbers_count_from_one_again_in_each_volume(book_of: Book) -> None:
    headings = [
        (f"VOLUME {roman(volume)}\n\n\n" if chapter == 1 else "") + f"CHAPTER {roman(chapter)}"
        for volume, chapters in ((1, 4), (2, 6), (3, 3))
        for chapter in range(1, chapters + 1)
    ]
    _, sections = find_chapters(book_of(headings), Removals())
    assert [section.volume for section in sections] == ["VOLUME I"] * 4 + ["VOLUME II"] * 6 + ["VOLUME III"] * 3
    assert not any("VOLUME" in line for section in sections for line in section.lines)


def test_contents_with_parts_open_no_volume(book_of: Book) -> None:
    parts = [("PREMIÈRE PARTIE", 4), ("DEUXIÈME PARTIE", 5)]
    table = "".join(f"{part}\n" + "".join(f"{roman(n)}\n" for n in range(1, size + 1)) + "\n" for part, size in parts)
    headings = [(f"{part}\n\n" if n == 1 else "") + roman(n) for part, size in parts for n in range(1, size + 1)]
    _, sections = find_chapters(book_of(headings, front=f"Table des matières\n\n{table}"), Removals())
    assert [section.volume for section in sections] == ["PREMIÈRE PARTIE"] * 4 + ["DEUXIÈME PARTIE"] * 5
    assert sections[0].lines[1] != "I"


def test_numbers_may_go_on_through_the_parts_and_parts_have_titles(book_of: Book) -> None:
    headings = [
        (f"PART {'ONE' if n < 4 else 'TWO'}\n\nThe Sea Cook\n\n\n" if n in (1, 4) else "") + str(n) for n in range(1, 7)
    ]
    _, sections = find_chapters(book_of(headings), Removals())
    assert headings_of(sections) == list("123456")
    assert [section.volume for section in sections] == ["PART ONE. The Sea Cook"] * 3 + ["PART TWO. The Sea Cook"] * 3


def test_volumes_within_volumes(book_of: Book) -> None:
    headings = [
        "VOLUME I\n\nBOOK FIRST\n\nCHAPTER I",
        "CHAPTER II",
        "BOOK SECOND\n\nCHAPTER I",
        "VOLUME II\n\nBOOK FIRST\n\nCHAPTER I",
    ]
    _, sections = find_chapters(book_of(headings), Removals())
    volumes = ["VOLUME I, BOOK FIRST", "VOLUME I, BOOK FIRST", "VOLUME I, BOOK SECOND", "VOLUME II, BOOK FIRST"]
    assert [section.volume for section in sections] == volumes


def test_acts_and_scenes(book_of: Book) -> None:
    headings = ["ACT I. SCENE I.", "SCENE II.", "SCENE III", "ACT II. SCENE I.", "SCENE II."]
    _, sections = find_chapters(book_of(headings), Removals())
    assert headings_of(sections) == ["SCENE I.", "SCENE II.", "SCENE III", "SCENE I.", "SCENE II."]
    assert [section.volume for section in sections] == ["ACT I"] * 3 + ["ACT II"] * 2


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n\n\n"])
def test_titles_below_the_numbers_belong_to_the_headings(book_of: Book, between: str) -> None:
    titles = ["The Two Poets", "THE SECRET OF IT", "What Then?", "Loomings."]
    headings = [f"CHAPTER {roman(n)}{between}{title}" for n, title in enumerate(titles, start=1)]
    _, sections = find_chapters(book_of(headings), Removals())
    assert headings_of(sections) == [f"CHAPTER {roman(n)}. {title}" for n, title in enumerate(titles, start=1)]


def test_a_short_first_paragraph_is_no_title(book_of: Book) -> None:
    openings = ["It was night.", '"Yes," he said.', "They went on and on, and then", "He Rose"]
    headings = [f"CHAPTER {n}\n\n{opening}" for n, opening in enumerate(openings, start=1)]
    _, sections = find_chapters(book_of(headings), Removals())
    assert headings_of(sections) == ["CHAPTER 1", "CHAPTER 2", "CHAPTER 3", "CHAPTER 4"]
    assert sections[0].lines[1] == "It was night."


def test_a_short_first_paragraph_is_no_title_where_there_are_no_capitals() -> None:
    text = "\n\n".join(["他推開門走了出去，外面正颳著大風，街上一個人也沒有，只有幾片落葉在地上打轉。"] * 40)
    _, sections = find_chapters(
        "\n\n".join(f"第{number}章\n\n{text}" for number in HAN.split()).split("\n"), Removals()
    )
    assert headings_of(sections) == [f"第{number}章" for number in HAN.split()]
    assert {"\n".join(section.lines).strip() for section in sections} == {text}


@pytest.mark.parametrize(
    ("titles", "sentence"),
    [
        ("सुबह सड़क घर", "वह दरवाज़ा खोलकर बाहर चला गया और हवा बहुत तेज़ चल रही थी।"),
        ("صبح راستہ گھر", "اس نے دروازہ کھولا اور باہر چلا گیا اور ہوا بہت تیز چل رہی تھی۔"),
        ("ลมยามเช้า ถนนยาว บ้านเก่า", "เขาเปิดประตูแล้วเดินออกไปข้างนอกลมแรงมากและไม่มีใครอยู่บนถนน "),
    ],
)
def test_titles_that_the_format_marks_are_found_whatever_ends_a_sentence(titles: str, sentence: str) -> None:
    text = "\n\n".join([sentence * 4] * 20)
    book = "\n\n".join(f"{heading_line(2, title)}\n\n{text}" for title in titles.split())
    _, sections = find_chapters(book.split("\n"), Removals())
    assert headings_of(sections) == titles.split()


def test_a_title_wrapped_into_a_second_line_is_whole(book_of: Book) -> None:
    headings = [
        f"Capítulo {roman(n)}. Que trata de la condición y ejercicio del famoso hidalgo\ndon Quijote de la Mancha"
        for n in range(1, 5)
    ]
    _, sections = find_chapters(book_of(headings), Removals())
    assert headings_of(sections) == [heading.replace("\n", " ") for heading in headings]


def test_text_that_begins_on_the_line_of_the_heading_stays_text(prose: Callable[..., str]) -> None:
    book = "\n\n\n".join(f"CHAPTER {roman(n)}. It was {prose(2000, n)}" for n in range(1, 6))
    _, sections = find_chapters(book.split("\n"), Removals())
    assert headings_of(sections) == [f"CHAPTER {roman(n)}" for n in range(1, 6)]
    assert all(section.lines[0].startswith("It was ") for section in sections)


def test_a_list_inside_a_chapter_is_no_chapter(book_of: Book) -> None:
    headings = [f"{n}. The Title" for n in range(1, 9)]
    headings[4] += "\n\n1. Take two eggs\n\n2. Beat them well\n\n3. Bake it"
    _, sections = find_chapters(book_of(headings), Removals())
    assert headings_of(sections) == [f"{n}. The Title" for n in range(1, 9)]
    assert "2. Beat them well" in sections[4].lines


@pytest.mark.parametrize("printed", ["VI", "XVII", "VIII"])
def test_a_misprinted_number_does_not_lose_the_chapter(book_of: Book, printed: str) -> None:
    headings = [f"CHAPTER {roman(n)}" for n in range(1, 13)]
    headings[6] = f"CHAPTER {printed}"
    assert headings_of(find_chapters(book_of(headings), Removals())[1]) == headings


def test_a_number_left_out_loses_no_other_chapter(book_of: Book) -> None:
    headings = [f"CHAPTER {n}" for n in range(1, 13) if n != 5]
    assert headings_of(find_chapters(book_of(headings), Removals())[1]) == headings


def test_a_short_chapter_counts(book_of: Book, prose: Callable[..., str]) -> None:
    lines = book_of(["1. A", "2. B", "3. C"], end="\n\n\n4. Home Again\n\n" + prose(300))
    assert len(find_chapters(lines, Removals())[1]) == 4


def test_letters_that_open_a_novel_are_chapters(book_of: Book) -> None:
    headings = [f"Letter {n}" for n in range(1, 5)] + [f"Chapter {n}" for n in range(1, 13)]
    contents = "Contents\n\n" + "\n".join(headings)
    assert headings_of(find_chapters(book_of(headings, contents), Removals())[1]) == headings


def test_sections_inside_one_story_are_not_the_chapters_of_a_collection(
    book_of: Book, prose: Callable[..., str]
) -> None:
    headings = [f"ADVENTURE {roman(n)}. A CASE" for n in range(1, 8)]
    headings[0] += f"\n\nI.\n\n{prose(900, 5)}\n\nII.\n\n{prose(900, 6)}\n\nIII."
    assert headings_of(find_chapters(book_of(headings), Removals())[1]) == [
        f"ADVENTURE {roman(n)}. A CASE" for n in range(1, 8)
    ]


def test_titles_are_found_by_the_contents_that_name_them(book_of: Book) -> None:
    contents = "A BOOK\n\nLIST OF CHAPTERS\n                  PAGE\n" + "".join(
        f"{title}     {7 * page}\n\n" for page, title in enumerate(STORIES, start=1)
    )
    printed = [title.replace("Encounter", "Encouter") for title in STORIES]
    style, sections = find_chapters(book_of(printed, contents), Removals())
    assert headings_of(sections) == printed
    assert "contents" in style


def test_a_book_without_marks_is_one_section(prose: Callable[..., str]) -> None:
    lines = prose(30_000).split("\n")
    assert find_chapters(lines, Removals()) == (NO_HEADINGS, [Section("", "", lines)])
    assert find_chapters(["", " "], Removals()) == (NO_HEADINGS, [])


def test_a_title_page_between_volume_and_chapter_goes_but_a_page_of_text_stays(
    book_of: Book, prose: Callable[..., str]
) -> None:
    headings = [
        "PART ONE\n\nby\n\nA. Writer, 1811\n\nCHAPTER 1",
        "CHAPTER 2",
        f"PART TWO\n\n{prose(600)}\n\nCHAPTER 1",
        "CHAPTER 2",
    ]
    removals = Removals()
    _, sections = find_chapters(book_of(headings), removals)
    assert [(record["reason"], record["sample"]) for record in removals.records()] == [
        ("title page of a volume", "by A. Writer, 1811")
    ]
    assert prose(600) in "\n".join(sections[2].lines)


def kinds_of(sections: Sequence[Section]) -> list[tuple[str, str]]:
    return [(section.kind, section.heading) for section in sections]


def test_prefaces_and_epilogues_are_sections_of_their_kind(book_of: Book, prose: Callable[..., str]) -> None:
    front = f"A BOOK\n\nCONTENTS\n\nPreface\n\nChapter 1\n\nEpilogue\n\n\n\nPREFACE\n\n{prose(900)}\n\n\n\nA BOOK"
    end = f"\n\n\n\nEPILOGUE\n\n{prose(900, 4)}\n\nTHE END\n\n\n\nBOOKS BY THE SAME AUTHOR\n\nA Book\nAnother"
    removals = Removals()
    _, sections = find_chapters(book_of(["CHAPTER I", "CHAPTER II", "CHAPTER III"], front, end), removals)
    assert kinds_of(sections) == [
        ("preface", "PREFACE"),
        ("chapter", "CHAPTER I"),
        ("chapter", "CHAPTER II"),
        ("chapter", "CHAPTER III"),
        ("epilogue", "EPILOGUE"),
    ]
    assert "\n".join(sections[0].lines).strip() == prose(900)
    assert "\n".join(sections[3].lines).strip() == prose(2500, 2)
    removed = {record["reason"]: record["sample"] for record in removals.records()}
    assert removed["front matter"] == "A BOOK CONTENTS Preface Chapter 1 Epilogue A BOOK"
    assert removed["back matter"] == "BOOKS BY THE SAME AUTHOR A Book Another"


def test_a_preface_of_any_name_is_kept_and_a_short_dedication_is_not(book_of: Book, prose: Callable[..., str]) -> None:
    front = f"A BOOK\n\n\n\nFor Ann\n\n{prose(300)}\n\n\n\n'TWIXT YOU AND ME\n\n{prose(1500, 1)}"
    _, sections = find_chapters(book_of(["Chapter One", "Chapter Two", "Chapter Three"], front), Removals())
    assert kinds_of(sections)[:2] == [("preface", "'TWIXT YOU AND ME"), ("chapter", "Chapter One")]


def test_a_prologue_among_titles_without_numbers_is_no_chapter(book_of: Book) -> None:
    headings = ["PROLOGUE", *(title.upper() for title in STORIES), "EPILOGUE"]
    _, sections = find_chapters(book_of(headings), Removals())
    assert [kind for kind, _ in kinds_of(sections)] == ["prologue", *["chapter"] * 7, "epilogue"]


def test_what_stands_behind_the_end_mark_is_no_chapter(book_of: Book, prose: Callable[..., str]) -> None:
    removals = Removals()
    end = f"\n\nTHE END\n\n\n\nBuy our soap.\n\n{prose(200, 8)}"
    _, sections = find_chapters(book_of(["CHAPTER I", "CHAPTER II", "CHAPTER III"], end=end), removals)
    assert [line for line in sections[-1].lines if line][-1] == "THE END"
    assert [record["reason"] for record in removals.records()] == ["back matter"]


def test_stories_whose_parts_are_numbered_are_found_by_the_contents(book_of: Book, prose: Callable[..., str]) -> None:
    headings = [f"{title.upper()}\n\n\nI\n\n{prose(2500, 9)}\n\n\nII" for title in STORIES]
    _, sections = find_chapters(book_of(headings, "STORIES\n\nCONTENTS\n\n" + "\n".join(STORIES)), Removals())
    assert headings_of(sections) == [title.upper() for title in STORIES]
