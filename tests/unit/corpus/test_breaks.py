from collections.abc import Callable, Sequence

import pytest

from nextchapter.corpus.chapters import find_chapters
from nextchapter.corpus.document import heading_line
from nextchapter.corpus.removals import Removals

Prose = Callable[..., str]
GAP = "\n\n\n\n"
IMPRINT = (
    "Copyright 1890 by A. Writer. All rights reserved. No part of this book may be printed again in any form, save with"
    " the leave of its publisher, and this holds everywhere and for ever.\n\n"
) * 4
MOTTO = "It is a truth that a man in possession of a fortune must be in want of a wife, of a house, and of a horse."


def found(text: str) -> list[tuple[str, str, str]]:
    return [
        (section.kind, section.volume, section.heading) for section in find_chapters(text.split("\n"), Removals())[1]
    ]


def chapters(prose: Prose, word: str, numbers: Sequence[int], seed: int = 0) -> str:
    return GAP.join(f"{word} {number}\n\n{prose(2500, seed + number)}" for number in numbers)


@pytest.mark.parametrize(
    "before",
    [
        "THE BOOK\n\nby\n\nA. WRITER\n\nTo my mother,\nwho knew.",
        "THE BOOK\n\n\nCONTENTS\n\nCHAPTER 1\nCHAPTER 2\nCHAPTER 3",
        f"{IMPRINT}{GAP}{MOTTO}\n\n—Austen",
    ],
    ids=["title page", "contents", "imprint and motto"],
)
def test_running_prose_without_a_title_is_a_preface(prose: Prose, before: str) -> None:
    removals = Removals()
    text = GAP.join([before, prose(900, 40), chapters(prose, "CHAPTER", (1, 2, 3))])
    sections = find_chapters(text.split("\n"), removals)[1]
    assert [(part.kind, part.heading) for part in sections[:2]] == [("preface", ""), ("chapter", "CHAPTER 1")]
    assert "\n".join(sections[0].lines).strip() == prose(900, 40)
    (front,) = removals.records()
    assert (front["reason"], front["sample"][:20]) == ("front matter", " ".join(before.split())[:20])


def test_what_printers_put_before_a_book_is_no_preface(prose: Prose) -> None:
    text = GAP.join(
        [IMPRINT, "THE BOOK\n\nby A. Writer", f"To Ann\n\n{prose(150)}", chapters(prose, "CHAPTER", (1, 2, 3))]
    )
    assert [kind for kind, _, _ in found(text)] == ["chapter"] * 3


@pytest.mark.parametrize(
    ("part", "word", "prologue", "interlude", "epilogue"),
    [
        ("PART", "CHAPTER", "PROLOGUE", "INTERLUDE", "EPILOGUE"),
        ("TEIL", "Kapitel", "Prolog", "Zwischenspiel", "Epilog"),
        ("LIVRE", "Chapitre", "Prologue", "Intermède", "Épilogue"),
        ("ЧАСТЬ", "Глава", "ПРОЛОГ", "Интерлюдия", "ЭПИЛОГ"),
    ],
)
@pytest.mark.parametrize("size", [600, 4000])
def test_prologues_and_interludes_of_parts_are_sections_in_their_part(
    prose: Prose, part: str, word: str, prologue: str, interlude: str, epilogue: str, size: int
) -> None:
    text = GAP.join(
        f"{part} {number}\n\n{prologue}\n\n{prose(size, 30 + seed)}{GAP}{chapters(prose, word, (1, 2), seed)}{GAP}"
        f"{interlude}\n\n{prose(size, 40 + seed)}{GAP}{chapters(prose, word, (3, 4), seed)}{GAP}"
        f"{epilogue}\n\n{prose(size, 50 + seed)}"
        for seed, number in enumerate(("I", "II"))
    )
    assert found(text) == [
        item
        for number in ("I", "II")
        for item in [
            ("prologue", f"{part} {number}", prologue),
            *(("chapter", f"{part} {number}", f"{word} {chapter}") for chapter in (1, 2)),
            ("interlude", f"{part} {number}", interlude),
            *(("chapter", f"{part} {number}", f"{word} {chapter}") for chapter in (3, 4)),
            ("epilogue", f"{part} {number}", epilogue),
        ]
    ]


def test_the_epilogue_of_a_book_is_of_no_part(prose: Prose) -> None:
    parts = [
        f"PART {number}\n\n\n{chapters(prose, 'CHAPTER', (1, 2, 3), seed)}" for seed, number in ((0, "I"), (9, "II"))
    ]
    assert found(GAP.join([*parts, f"EPILOGUE\n\n{prose(900)}"]))[-1] == ("epilogue", "", "EPILOGUE")


def test_sections_that_each_chapter_has_are_parts_of_it(prose: Prose) -> None:
    text = GAP.join(
        f"CHAPTER {number}\n\n{prose(900, number)}\n\n\nIntroduction\n\n{prose(900, 10 + number)}\n\n\nConclusion\n\n"
        f"{prose(900, 20 + number)}\n\n\nNotes\n\n{prose(300, 30 + number)}"
        for number in range(1, 5)
    )
    assert found(text) == [("chapter", "", f"CHAPTER {number}") for number in range(1, 5)]


def test_the_title_of_a_chapter_may_be_the_name_of_matter(prose: Prose) -> None:
    titles = ("Introduction", "Origins", "Notes", "Conclusion")
    text = GAP.join(
        f"CHAPTER {number}\n\n\n{title}\n\n\n{prose(2500, number)}" for number, title in enumerate(titles, start=1)
    )
    assert found(text) == [
        ("chapter", "", f"CHAPTER {number}. {title}") for number, title in enumerate(titles, start=1)
    ]


def test_titles_that_the_contents_number_are_chapters_whatever_they_say(prose: Prose) -> None:
    titles = ("Introduction", "Origins", "Methods of Work", "Notes", "Index")
    table = "\n".join(f" {number}. {title}   {number}7" for number, title in enumerate(titles, start=1))
    texts = [f"{title.upper()}\n\n{prose(2500, number)}" for number, title in enumerate(titles)]
    assert found(GAP.join([f"A BOOK\n\nCONTENTS\n\n{table}", *texts])) == [
        ("chapter", "", title.upper()) for title in titles
    ]


def marked(prose: Prose, *parts: tuple[int, str, int]) -> str:
    return "\n\n".join(
        f"{heading_line(level, title)}\n\n{prose(size, seed) if size else ''}"
        for seed, (level, title, size) in enumerate(parts)
    )


def test_a_prologue_with_a_marked_heading_has_its_part(prose: Prose) -> None:
    part = [(2, "Chapter 1", 3000), (2, "Chapter 2", 3000)]
    text = marked(
        prose, (1, "Sea", 0), (2, "Prologue: A Storm", 4000), *part, (1, "Land", 0), (2, "Prologue", 4000), *part
    )
    assert found(text) == [
        ("prologue", "Sea", "Prologue: A Storm"),
        ("chapter", "Sea", "Chapter 1"),
        ("chapter", "Sea", "Chapter 2"),
        ("prologue", "Land", "Prologue"),
        ("chapter", "Land", "Chapter 1"),
        ("chapter", "Land", "Chapter 2"),
    ]


def test_a_short_interlude_between_chapters_is_kept(prose: Prose) -> None:
    text = marked(prose, (2, "Chapter 1", 3000), (2, "Chapter 2", 3000), (2, "Interlude", 0), (2, "Chapter 3", 3000))
    lines = text.replace("Interlude\n\n", "Interlude\n\nNight fell.").split("\n")
    sections = find_chapters(lines, Removals())[1]
    assert [(part.kind, "".join(part.lines)) for part in sections if part.kind != "chapter"] == [
        ("interlude", "Night fell.")
    ]


def test_prose_below_the_title_of_a_marked_book_is_a_preface(prose: Prose) -> None:
    part = [(2, f"Chapter {number}", 3000) for number in (1, 2, 3)]
    assert found(marked(prose, (1, "A Book", 900), *part))[0] == ("preface", "", "")
    assert found(marked(prose, (1, "A Book", 0), (2, "How It Came About", 900), *part))[0] == (
        "preface",
        "",
        "How It Came About",
    )


def test_a_prologue_on_the_line_of_an_act_is_a_section_in_that_act(prose: Prose) -> None:
    text = GAP.join(
        f"ACT {number}. PROLOGUE.\n\n{prose(900, seed)}\n\n\nSCENE I. A room.\n\n{prose(2000, seed + 5)}\n\n\n"
        f"SCENE II. A street.\n\n{prose(2000, seed + 9)}"
        for seed, number in enumerate(("I", "II", "III"))
    )
    assert found(text) == [
        item
        for number in ("I", "II", "III")
        for item in [
            ("prologue", f"ACT {number}", f"ACT {number}. PROLOGUE."),
            ("chapter", f"ACT {number}", "SCENE I. A room."),
            ("chapter", f"ACT {number}", "SCENE II. A street."),
        ]
    ]


def test_an_epilogue_with_chapters_of_its_own_is_a_volume(prose: Prose) -> None:
    volumes = ("BOOK ONE", "BOOK TWO", "FIRST EPILOGUE: 1813 - 20", "SECOND EPILOGUE")
    text = GAP.join(
        f"{volume}\n\n\n{chapters(prose, 'CHAPTER', (1, 2, 3), seed)}" for seed, volume in enumerate(volumes)
    )
    assert found(text) == [("chapter", volume, f"CHAPTER {number}") for volume in volumes for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("volumes", "numbers"),
    [
        (["卷一", "卷二"], ["第一章", "第二章", "第三章"]),
        (["Część pierwsza", "Część druga"], ["Rozdział pierwszy", "Rozdział drugi", "Rozdział trzeci"]),
        (["Μέρος πρώτο", "Μέρος δεύτερο"], ["Κεφάλαιο πρώτο", "Κεφάλαιο δεύτερο", "Κεφάλαιο τρίτο"]),
        (["ELSŐ RÉSZ", "MÁSODIK RÉSZ"], ["ELSŐ FEJEZET", "MÁSODIK FEJEZET", "HARMADIK FEJEZET"]),
        (["Birinci Kitap", "İkinci Kitap"], ["Birinci Bölüm", "İkinci Bölüm", "Üçüncü Bölüm"]),
    ],
)
def test_volumes_and_chapters_counted_in_words(prose: Prose, volumes: list[str], numbers: list[str]) -> None:
    text = GAP.join(
        f"{volume}\n\n\n" + GAP.join(f"{number}\n\n{prose(2500, seed)}" for seed, number in enumerate(numbers))
        for volume in volumes
    )
    assert found(text) == [("chapter", volume, number) for volume in volumes for number in numbers]


def test_a_preface_behind_the_title_of_a_book_of_titles_is_no_chapter(prose: Prose) -> None:
    titles = ("The Sisters", "An Encounter", "Araby")
    text = GAP.join(["THE BOOK", f"PREFACE\n\n{prose(900, 9)}", *(f"{title}\n\n{prose(2500)}" for title in titles)])
    assert found(text) == [("preface", "", "PREFACE"), *(("chapter", "", title) for title in titles)]
