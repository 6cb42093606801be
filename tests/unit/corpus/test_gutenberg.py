import pytest

from nextchapter.corpus.document import heading_line
from nextchapter.corpus.gutenberg import Frame, strip_end_mark, strip_frame
from nextchapter.corpus.removals import Removals

BODY = ["CHAPTER I", "", "It was night."]
HEADER = """The Project Gutenberg EBook of The Long Book, by A. Writer

Title: The Long Book
       Or, Never Ending

Author: A. Writer, Jr.

Character set encoding: ASCII
"""
LICENCE = ["", "Section 1. General Terms of Use", "You may copy it."]


def strip(*parts: str | list[str]) -> tuple[list[str], Frame, list[str]]:
    lines = [line for part in parts for line in (part.split("\n") if isinstance(part, str) else part)]
    removals = Removals()
    body, frame = strip_frame("\n".join(lines), removals)
    return body, frame, [record["reason"] for record in removals.records()]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (
            "*** START OF THIS PROJECT GUTENBERG EBOOK THE LONG BOOK ***",
            "*** END OF THIS PROJECT GUTENBERG EBOOK THE LONG BOOK ***",
        ),
        (
            "*** START OF THE PROJECT GUTENBERG EBOOK THE LONG\nBOOK ***",
            "*** END OF THE PROJECT GUTENBERG EBOOK THE LONG BOOK ***",
        ),
        (
            "***START OF THE PROJECT GUTENBERG EBOOK THE LONG BOOK***",
            "End of Project Gutenberg's The Long Book\n\n***END OF THE PROJECT GUTENBERG EBOOK***",
        ),
        (
            "*** START OF THIS PROJECT GUTENBERG EBOOK ***\n\nProduced by A. Typist and\nB. Reader\n",
            "Ende dieses Projekt Gutenberg Etextes\nEnd of the Project Gutenberg EBook",
        ),
        (
            "***START**THE SMALL PRINT!**START***\nYou may.\n*END*THE SMALL PRINT! FOR ETEXTS*Ver.04.29.93*END*",
            "End of The Project Gutenberg Etext of The Long Book",
        ),
    ],
    ids=["2008", "wrapped", "end line above", "credit", "1993"],
)
def test_licences_of_all_ages_go(start: str, end: str) -> None:
    body, frame, reasons = strip(HEADER, start, ["", ""], BODY, ["", ""], end, LICENCE)
    assert body == BODY
    assert (frame.title, frame.author) == ("The Long Book Or, Never Ending", "A. Writer, Jr.")
    assert reasons[:2] == ["Project Gutenberg header", "Project Gutenberg footer"]


@pytest.mark.parametrize(
    "end",
    [
        "End of The Project Gutenberg Etext of Alice in Wonderland",
        "End of Project Gutenberg's The Long Book",
        "Ende dieses Projekt Gutenberg Etextes Das Buch",
        "Fin du Projet Gutenberg Etext du Livre",
        "Fin del Proyecto Gutenberg de El Libro",
        "Fine del Progetto Gutenberg Etext Il Libro",
        "Einde van het Project Gutenberg Etext Het Boek",
        "Fim do Projecto Gutenberg O Livro",
        "Slutet av Projekt Gutenberg Boken",
        heading_line(4, "End of Project Gutenberg's The Long Book"),
    ],
)
def test_old_ends_in_many_languages(end: str) -> None:
    assert strip(BODY, "", "", end, "", "More of it.")[0] == BODY


def test_markers_in_the_middle_of_a_line_are_found() -> None:
    start, end = "*** START OF THE PROJECT GUTENBERG EBOOK X ***", "*** END OF THE PROJECT GUTENBERG EBOOK X ***"
    body, _, reasons = strip(f"For all. {start} It was night. {end} No.")
    assert body == [" It was night. "]
    assert reasons == ["Project Gutenberg header", "Project Gutenberg footer"]


@pytest.mark.parametrize(
    "credit",
    [
        "E-text prepared by A\nand the Online Distributed Proofreading Team\n(https://www.pgdp.net)",
        "Note: Images of the original pages are available through\n      Internet Archive.",
        "This file was produced from images generously made available by The Internet Archive",
        "(This file was made using scans)\n\nProduced by A. Typist",
    ],
)
def test_credits_of_the_makers_go(credit: str) -> None:
    body, _, reasons = strip("*** START OF THE PROJECT GUTENBERG EBOOK X ***", "", credit, "", "", BODY)
    assert (body, "credit of the file's makers" in reasons) == (BODY, True)


def test_samples_of_what_went_have_no_signs_of_headings() -> None:
    removals = Removals()
    heading = heading_line(2, "The Project Gutenberg eBook of X")
    strip_frame("\n".join([heading, "*** START OF THE PROJECT GUTENBERG EBOOK X ***", *BODY]), removals)
    assert removals.records()[0]["sample"].startswith("The Project Gutenberg eBook of X ***")


def test_the_small_print_may_stand_behind_the_book() -> None:
    body, _, _ = strip(
        BODY,
        "End of Project Gutenberg's Book, by G.K.C.",
        LICENCE,
        "*END THE SMALL PRINT! FOR EBOOKS*Ver.02/11/02*END*",
    )
    assert body == BODY


def test_the_first_line_names_the_book_where_no_field_does() -> None:
    _, frame, _ = strip(
        "Project Gutenberg's Alice in Wonderland, by Lewis Carroll.",
        "*** START OF THIS PROJECT GUTENBERG EBOOK ***",
        BODY,
    )
    assert frame == Frame("Alice in Wonderland", "Lewis Carroll")


@pytest.mark.parametrize(
    ("line", "title", "author"),
    [
        ("[Emma by Jane Austen 1816]", "Emma", "Jane Austen"),
        ("[The Parent's Assistant, by Maria Edgeworth]", "The Parent's Assistant", "Maria Edgeworth"),
        ("[The King James Bible]", "The King James Bible", ""),
        ("[Stories to Tell to Children by Sara Cone Bryant 1918] ", "Stories to Tell to Children", "Sara Cone Bryant"),
    ],
)
def test_a_title_in_brackets_names_the_book(line: str, title: str, author: str) -> None:
    body, frame, reasons = strip([line, "", ""], BODY)
    assert (body, frame, reasons) == (BODY, Frame(title, author), ["title line in brackets"])


def test_a_book_without_a_frame_stays_whole() -> None:
    lines = ["He read Project Gutenberg files all day.", "", "Title: he had none.", "", "The end of it was sad."]
    assert strip(lines) == (lines, Frame(), [])
    assert strip([]) == ([], Frame(), [])


@pytest.mark.parametrize(
    "mark",
    ["FINIS", "THE END", "The End.", "Finis", "FIN", "Ende.", "КОНЕЦ", "[The End]", "-THE END-", "END OF VOLUME I",
     "FIN DE LA PREMIÈRE PARTIE", "FINIS. THE TRAGEDIE OF MACBETH.", "Конец первой части"],
)  # fmt: skip
def test_end_marks_go(mark: str) -> None:
    removals = Removals()
    assert strip_end_mark([*BODY, "", f"     {mark}", ""], removals) == BODY
    assert removals.records()[0]["reason"] == "end mark"


@pytest.mark.parametrize("line", ["The end justified the means.", '"Fine!"', "End it now.", "So ends the tale."])
def test_sentences_at_the_end_stay(line: str) -> None:
    assert strip_end_mark([line], Removals()) == [line]
