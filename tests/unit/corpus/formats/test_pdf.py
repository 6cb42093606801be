import textwrap
from collections.abc import Sequence

import pytest

from nextchapter.corpus.document import HEADING, Limits, UnreadableBookError, heading_line
from nextchapter.corpus.formats import pdf_pages
from nextchapter.corpus.formats.pdf import read_pdf
from nextchapter.corpus.formats.pdf_pages import Line, page_text
from nextchapter.corpus.removals import Removals

WORDS = "It was late when the cart came down the hill and the lamps were lit in every window of the little town"


def pdf_of(
    pages: Sequence[Sequence[str]], trailer: str = "", info: str = "", outline: Sequence[tuple[int, str]] = ()
) -> bytes:
    """Return a PDF with lines of text on its pages, and an outline of pages and titles."""
    count = len(pages)
    first = 4 + 2 * count
    marks = "" if not outline else f"/Outlines {first} 0 R"
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{marks}>>",
        f"<</Type/Pages/Kids[{kids}]/Count {count}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, lines in enumerate(pages):
        shown = "".join(f"({line}) Tj T* " for line in lines)
        stream = f"BT /F1 10 Tf 12 TL 50 700 Td {shown}ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 500 800]/Contents {5 + 2 * number} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
    if outline:
        objects.append(f"<</First {first + 1} 0 R/Last {first + len(outline)} 0 R>>")
    for place, (page, title) in enumerate(outline, 1):
        following = f"/Next {first + place + 1} 0 R" if place < len(outline) else ""
        objects.append(f"<</Title({title})/Parent {first} 0 R/Dest[{4 + 2 * page} 0 R/Fit]{following}>>")
    objects.append(f"<<{info}>>")
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    root = f"<</Size {size}/Root 1 0 R/Info {size - 1} 0 R{trailer}>>"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}trailer{root}\nstartxref\n{len(body)}\n%%EOF".encode()


def test_text_comes_page_by_page_with_title_and_author() -> None:
    lines = textwrap.wrap(WORDS, 40)
    document = read_pdf(pdf_of([lines, ["2", *lines]], info="/Title(The Road)/Author(Jane Roe)"), Limits(), Removals())
    assert document.text == "\n".join([*lines, "\f2", *lines]) + "\n"
    assert (document.title, document.author, document.is_wrapped) == ("The Road", "Jane Roe", True)


def test_a_hyphen_at_a_line_end_stays_one() -> None:
    document = read_pdf(pdf_of([["It was an extraordi-", "nary day in the well-", "known town"]]), Limits(), Removals())
    assert document.text == "It was an extraordi-\nnary day in the well-\nknown town\n"


def test_pages_without_text_are_scanned() -> None:
    with pytest.raises(UnreadableBookError, match="OCR"):
        read_pdf(pdf_of([[], ["7"]]), Limits(), Removals())


def test_an_encrypted_pdf_says_so() -> None:
    key = "00" * 32
    lock = f"/Encrypt<</Filter/Standard/V 1/R 2/O<{key}>/U<{key}>/P -1>>/ID[<00><00>]"
    with pytest.raises(UnreadableBookError, match="encrypted"):
        read_pdf(pdf_of([["Secret words"]], trailer=lock), Limits(), Removals())


@pytest.mark.parametrize("data", [b"%PDF-1.4 nothing", pdf_of([[WORDS]])[:200]])
def test_a_damaged_pdf_says_so(data: bytes) -> None:
    with pytest.raises(UnreadableBookError, match="damaged"):
        read_pdf(data, Limits(), Removals())


def test_a_pdf_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(UnreadableBookError, match="more than"):
        read_pdf(pdf_of([[WORDS]]), Limits(convert_s=0.001), Removals())


def test_a_system_without_limits_of_memory_reads_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse(kind: int, limits: tuple[int, int]) -> None:
        asked.append(kind)
        raise ValueError("current limit exceeds maximum limit")  # as on macOS

    monkeypatch.setattr(pdf_pages.resource, "setrlimit", refuse)
    pdf_pages.limit_memory()
    assert pdf_pages.resource.RLIMIT_AS in asked


def test_paragraphs_begin_at_indented_lines_and_behind_wide_gaps() -> None:
    lines = [
        Line("Indented", 62.0, 700.0), Line("then not", 50.0, 688.0), Line("nor here", 50.0, 676.0),
        Line("Indented", 62.0, 664.0), Line("not", 50.0, 652.0), Line("behind a gap", 50.0, 628.0),
    ]  # fmt: skip
    assert page_text(lines) == "\nIndented\nthen not\nnor here\n\nIndented\nnot\n\nbehind a gap\n"


def test_an_outline_whose_titles_stand_on_its_pages_gives_the_headings() -> None:
    text = textwrap.wrap(WORDS, 40)
    pages = [["THE ROAD"], ["CHAPTER 1", "The Hill", *text], text, ["The Lamps", *text], ["A Town", "by Night", *text]]
    outline = [(1, "The Hill"), (3, "The Lamps"), (4, "A Town by Night")]
    headings = [heading_line(1, title) for title in ("CHAPTER 1. The Hill", "The Lamps", "A Town by Night")]
    document = read_pdf(pdf_of(pages, outline=outline), Limits(), Removals())
    assert [line for line in document.text.split("\n") if line.startswith(HEADING)] == headings
    assert "by Night" not in document.text.replace(headings[-1], "")
    elsewhere = read_pdf(pdf_of(pages, outline=[(0, title) for _, title in outline]), Limits(), Removals())
    assert HEADING not in elsewhere.text
