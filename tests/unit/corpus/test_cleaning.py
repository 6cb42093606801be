import codecs
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.chapters import NO_HEADINGS
from nextchapter.corpus.cleaning import CleanBook, clean_document, clean_rows, title_from_name
from nextchapter.corpus.document import Document, heading_line
from nextchapter.corpus.formats.plain import read_plain
from nextchapter.corpus.removals import Removals, ink

DATA = Path(__file__).resolve().parents[4] / "shared/data"
PIECES = st.sampled_from(
    ["CHAPTER I", "CHAPTER II", "Chapter 3. Home", "I", "II", "1.  One", "2.  Two", "Contents", "12",
     "[Pg 3]", "[Illustration: a\ncat]", "THE END", "FINIS", "", "", "  ", "He went home and slept.", "hyphens",
     "a line that ends in hy-", "phens and goes on", "*** START OF THE PROJECT GUTENBERG EBOOK X ***", "Title: X",
     "End of Project Gutenberg's X", "[X by Y 1811]",
     "PREFACE", "EPILOGUE", "[Footnote 1: so]", "he said[1] so", "A TITLE ALONE", "word " * 60, "…—« »\u00ad"]
)  # fmt: skip
REAL_BOOKS = [
    ("oz/01_the-wonderful-wizard-of-oz_pg55", 24, "1. The Cyclone", "24. Home Again"),
    ("oz/02_the-marvelous-land-of-oz_pg54", 24, "Tip Manufactures a Pumpkinhead", "The Riches of Content"),
    ("oz/03_ozma-of-oz_pg486", 21, "1. The Girl in the Chicken Coop", "21. Dorothy's Magic Belt"),
    ("oz/04_dorothy-and-the-wizard-in-oz_pg420", 20, "1. The Earthquake", "20. Zeb Returns to the Ranch"),
    ("oz/05_the-road-to-oz_pg485", 24, "1. The Way to Butterfield", "24. The Birthday Celebration"),
    (
        "oz/06_the-emerald-city-of-oz_pg517",
        30,
        "1. How the Nome King Became Angry",
        "30. How the Story of Oz Came to an End",
    ),
    (
        "oz/07_the-patchwork-girl-of-oz_pg955",
        28,
        "Chapter One. Ojo and Unc Nunkie",
        "Chapter Twenty-Eight. The Wonderful Wizard of Oz",
    ),
    ("oz/08_tik-tok-of-oz_pg956", 25, "Chapter One. Ann's Army", "Chapter Twenty-Five. The Land of Love"),
    (
        "oz/09_the-scarecrow-of-oz_pg957",
        24,
        "Chapter One. The Great Whirlpool",
        "Chapter Twenty-Four. The Royal Reception",
    ),
    ("oz/11_the-lost-princess-of-oz_pg959", 26, "CHAPTER 1. A TERRIBLE LOSS", "CHAPTER 26. DOROTHY FORGIVES"),
    ("oz/13_the-magic-of-oz_pg419", 23, "1. Mount Munch", "23. The Fountain of Oblivion"),
    ("messy/fr_madame-bovary_pg14155_latin1", 35, "I", "XI"),
    ("messy/en_wizard-of-oz_1993_wizoz10", 24, "1. The Cyclone", "24. Home Again"),
    ("messy/ru_fathers-and-sons_utf8", 28, "I", "XXVIII"),
    ("messy/en_macbeth_lone-cr", 29, "SCENE I.", "SCENE IX."),
]


def clean_book(data: bytes, book: str, file: str, join_wrapped_lines: bool = True) -> CleanBook:
    return clean_document(read_plain(data), book, file, Removals(), join_wrapped_lines)


def needs(path: str) -> Path:
    if not (DATA / path).exists():
        pytest.skip(f"the shared data is not beside this checkout: {path}")
    return DATA / path


@pytest.mark.parametrize(("name", "chapters", "first", "last"), REAL_BOOKS)
def test_chapters_of_real_books_are_those_counted_by_hand(name: str, chapters: int, first: str, last: str) -> None:
    file = needs(f"{name}.txt")
    book = clean_book(file.read_bytes(), file.stem, file.name)
    assert len(book.chapters) == chapters
    assert (book.chapters[0].heading, book.chapters[-1].heading) == (first, last)
    text = "\n".join(chapter.text for chapter in book.chapters)
    assert "Project Gutenberg" not in text
    assert "\r" not in text


def test_the_parts_of_a_french_novel() -> None:
    book = clean_book(needs("messy/fr_madame-bovary_pg14155_latin1.txt").read_bytes(), "bovary", "bovary.txt")
    volumes = [chapter.volume for chapter in book.chapters]
    assert [volumes.count(volume) for volume in dict.fromkeys(volumes)] == [9, 15, 11]
    assert book.quality["encoding"] == "cp1252"
    assert book.chapters[0].text.startswith("Nous étions à l'Étude, quand le Proviseur entra")


def test_a_sentence_that_a_page_interrupts_goes_on() -> None:
    book = clean_book(needs("oz/02_the-marvelous-land-of-oz_pg54.txt").read_bytes(), "02", "02.txt")
    assert "ruled that part of the Land of Oz had forbidden any other Witch" in book.chapters[0].text
    assert "Full page line-art" not in "".join(chapter.text for chapter in book.chapters)


def test_the_account_says_what_was_found_and_removed(prose: Callable[..., str]) -> None:
    parts = ["[A Book by B. Writer 1811]", "A preface.", "CHAPTER I", prose(900), "CHAPTER II", "Short.", "THE END\r\n"]
    book = clean_book("\r\n\r\n".join(parts).encode(), "shelf/a book", "a book.txt")
    quality = book.quality
    assert quality["book"] == "shelf/a book"
    assert (quality["title"], quality["author"], quality["headings"]) == ("A Book", "B. Writer", "chapter")
    assert quality["characters"] == sum(len(chapter.text) for chapter in book.chapters)
    assert (quality["chapters"], quality["nearly_empty"], quality["problem"]) == (2, [2], "")
    assert [(record["reason"], record["sample"]) for record in quality["removed"]] == [
        ("title line in brackets", "[A Book by B. Writer 1811]"),
        ("end mark", "THE END"),
        ("front matter", "A preface."),
    ]
    assert [(chapter.chapter, chapter.heading) for chapter in book.chapters] == [(1, "CHAPTER I"), (2, "CHAPTER II")]
    assert book.chapters[0].text == "\n\n".join(" ".join(p.split()) for p in prose(900).split("\n\n"))


def test_an_authors_additions_are_kept_apart_and_not_counted(prose: Callable[..., str]) -> None:
    parts = ["A BOOK", f"PREFACE\n\n{prose(600)}", *(f"CHAPTER {n}\n\n{prose(2000, n)}" for n in (1, 2, 3))]
    text = "\n\n\n\n".join([*parts, f"EPILOGUE\n\n{prose(600, 4)}\n\nTHE END\n"])
    book = clean_book(text.encode(), "a", "a.txt")
    assert [(part.kind, part.chapter) for part in book.chapters] == [("chapter", 1), ("chapter", 2), ("chapter", 3)]
    assert [(part.kind, part.chapter, part.heading) for part in book.matter] == [
        ("preface", 0, "PREFACE"),
        ("epilogue", 0, "EPILOGUE"),
    ]
    assert book.matter[0].text == "\n\n".join(" ".join(paragraph.split()) for paragraph in prose(600).split("\n\n"))
    assert book.quality["matter"] == [
        {"kind": "preface", "heading": "PREFACE", "words": len(prose(600).split())},
        {"kind": "epilogue", "heading": "EPILOGUE", "words": len(prose(600, 4).split())},
    ]


def test_a_document_gives_headings_names_and_what_its_reader_removed() -> None:
    parts = [[heading_line(2, f"CHAPTER {n}"), "It was night.", "He said:\na verse", "word " * 200] for n in (1, 2, 3)]
    text = "\n\n".join(part for chapter in parts for part in chapter)
    removals = Removals()
    removals.add("navigation", "Home")
    document = Document(text, is_wrapped=False, title="A Book", author="B. Writer", format="HTML", encoding="utf-8")
    book = clean_document(document, "shelf/x", "x.html", removals)
    assert [chapter.heading for chapter in book.chapters] == ["CHAPTER 1", "CHAPTER 2", "CHAPTER 3"]
    assert book.chapters[0].text.split("\n\n")[:2] == ["It was night.", "He said:\na verse"]
    assert (book.chapters[0].title, book.chapters[0].author, book.quality["format"]) == ("A Book", "B. Writer", "HTML")
    assert book.quality["removed"][0]["reason"] == "navigation"


def test_repairs_are_told_apart_from_removals() -> None:
    data = codecs.BOM_UTF8 + "Er ging.\r\nEr ﬁel. L'Ã©tÃ© oÃ¹ il fut nÃ©. e\u0301".encode()
    quality = clean_book(data, "a", "a.txt").quality
    assert [(record["reason"], record["count"]) for record in quality["repaired"]] == [
        ("byte order mark", 1),
        ("mojibake", 4),
        ("line ends CRLF", 1),
        ("ligatures", 1),
        ("composed letters (NFC)", 1),
    ]
    assert quality["removed"] == []


@pytest.mark.parametrize("data", [b"", b" \r\n\t\r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_book_has_no_chapter_and_says_why(data: bytes) -> None:
    book = clean_book(data, "a", "a.txt")
    assert (book.chapters, book.quality["problem"]) == ([], "the file is empty")


def test_a_book_of_nothing_but_a_frame_says_so() -> None:
    book = clean_book(b"*** START OF THE PROJECT GUTENBERG EBOOK A ***\n\nTHE END\n", "a", "a.txt")
    assert (book.chapters, book.quality["problem"]) == ([], "the file holds no prose")


def test_a_book_without_marks_is_cut_into_sections(prose: Callable[..., str]) -> None:
    book = clean_book(prose(50_000).encode(), "a", "a.txt")
    assert [chapter.heading for chapter in book.chapters] == [""] * 4
    assert [chapter.chapter for chapter in book.chapters] == [1, 2, 3, 4]
    assert book.quality["headings"] == NO_HEADINGS


def test_lines_stay_as_they_are_when_they_are_not_to_be_joined(prose: Callable[..., str]) -> None:
    book = clean_book(f"CHAPTER I\n\n{prose(900)}\n".encode(), "a", "a.txt", join_wrapped_lines=False)
    assert book.chapters[0].text == prose(900)


@given(st.lists(PIECES, max_size=60))
def test_no_character_is_lost_that_the_account_does_not_name(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    book = clean_book(text.encode(), "a", "a.txt")
    removed = sum(record["characters"] for record in book.quality["removed"])
    kept = sum(ink(part.text) + ink(part.heading) for part in [*book.chapters, *book.matter])
    empty = sum(record["count"] for record in book.quality["removed"] if record["reason"] == "heading without text")
    between_numbers_and_titles = 3 * (empty + sum(chapter.heading != "" for chapter in book.chapters))
    assert abs(removed + kept - ink(text)) <= between_numbers_and_titles


@pytest.mark.parametrize(
    ("book", "title"),
    [
        ("series/01_the-wonderful_wizard", "01 the-wonderful wizard"),
        ("war-and-peace", "War and peace"),
        ("Отцы и дети", "Отцы и дети"),
        ("a", "A"),
        ("shelf/___", "shelf/___"),
        ("emma.epub", "Emma"),
        ("Dr. Jekyll", "Dr. Jekyll"),
    ],
)
def test_a_title_from_a_files_name(book: str, title: str) -> None:
    assert title_from_name(book) == title


def test_rows_are_repaired_as_a_book_is(prose: Callable[..., str]) -> None:
    pages = [
        line
        for number in range(1, 13)
        for line in [
            "It went on and on and on through all of the",
            f"THE ROAD    {number}",
            "long night until it was day again and",
            "",
        ]
    ]
    said = (
        "He said it was so and that it would be so.[1] It was altogether extra-\nordinary, and extraordinary it stayed."
    )
    rows = [
        f"{prose(900)}\n\n{said}\n\n[1] In the year of 1811.\n",
        "\n".join(pages),
        "Roses are red,\nViolets are blue,\nSugar is sweet,\nAnd so are you.",
        "one line\nanother line that is very much longer, and the reason is that nobody wrapped it " * 3,
        "  ",
    ]
    removals = Removals()
    cleaned = clean_rows(rows, removals)
    assert cleaned[0].split("\n\n")[-1] == (
        "He said it was so and that it would be so. It was altogether extraordinary, and extraordinary it stayed."
    )
    assert cleaned[0].startswith("\n\n".join(" ".join(part.split()) for part in prose(900).split("\n\n")))
    assert "THE ROAD" not in cleaned[1]
    assert cleaned[1].startswith(
        "It went on and on and on through all of the long night until it was day again and\n\n"
    )
    assert cleaned[2:] == [rows[2], rows[3].rstrip(), ""]
    reasons = {record["reason"]: record["count"] for record in removals.records()}
    assert reasons == {"footnote": 1, "footnote mark": 1, "running head": 12, "hyphen at a line end": 1}
    kept = clean_rows(rows, Removals(), join_wrapped_lines=False)
    assert kept[1].startswith("It went on and on and on through all of the\nlong night until")


@pytest.mark.parametrize("opening", ["[Footnote 1: it never closes", "[Illustration: a dog"])
def test_a_bracket_that_closes_in_another_row_takes_no_row_with_it(opening: str) -> None:
    rows = [f"He ran. {opening}", "Another row ] goes on.", "A third row."]
    assert clean_rows(rows, Removals()) == rows
