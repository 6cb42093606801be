from collections.abc import Callable
from pathlib import Path

import pytest

from nextchapter.corpus.document import Document, UnreadableBookError, read_heading
from nextchapter.corpus.formats.html import decode_html, parse_html, read_html
from nextchapter.corpus.formats.titles import split_title
from nextchapter.corpus.removals import Removals

VERSE = "<div class='verse'>One</div>"
MESSY = Path(__file__).resolve().parents[5] / "shared/data/messy"


def text_of(html: str, removals: Removals | None = None) -> str:
    return read_html(html.encode(), removals or Removals()).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One\n  two</p><p>Three</p>", "One two\n\nThree"),
        ("<p>One<p>Two", "One\n\nTwo"),
        ("<div>One<p>Two</p>three</div>", "One\n\nTwo\n\nthree"),
        ("<p>One<br>two<br/>\nthree</p>", "One\ntwo\nthree"),
        ("One<br><br>Two", "One\n\nTwo"),
        ("<h2>CHAPTER I.<br/>Down the<br>Hole</h2>", "\x022CHAPTER I. Down the Hole"),
        ("<h3><a name='x'></a><i>I</i>.</h3>Text", "\x023I.\n\nText"),
        ("<p>a<b>b</b>c &amp; &mdash; &#233;</p>", "abc & — é"),
        ("<ul><li>One</li><li>Two</li></ul>", "One\n\nTwo"),
        ("<table><tr><td>1</td><td>One</td></tr><tr><td>2</td></tr></table>", "1 One\n\n2"),
        ("<p>a<script>x()</script><style>p{}</style>b<svg><text>no</text></svg></p>", "ab"),
        ("<p>漢字\n  かな</p><p>漢字 かな</p>", "漢字かな\n\n漢字 かな"),
        (f"<div class=stanza>{VERSE}{VERSE}</div><div class=stanza>{VERSE}</div>", "One\nOne\n\nOne"),
        ("<p>\x02fake</p><h1>\x02real</h1><p>&#2;too</p>", "fake\n\n\x021real\n\ntoo"),
        ("<p>H<sup>2</sup>O, 10<sup>3</sup>, 5 km<sup>2</sup>, M<sup>me</sup></p>", "H2O, 103, 5 km2, Mme"),
        ("<a name='Page_5'>Not a number</a>", "Not a number"),
        ("<p>See <a href='#c1'>Chapter 1</a></p>", "See Chapter 1"),
    ],
)  # fmt: skip
def test_elements_become_lines(html: str, text: str) -> None:
    assert text_of(html) == text


@pytest.mark.parametrize(
    ("html", "text", "reason"),
    [
        ("<p>to <span class='pagenum'>[Pg 12]</span>go</p>", "to go", "page number"),
        ("<p>to<a id='page_12'>[12]</a> go</p>", "to go", "page number"),
        ("<p>One</p><p class='pagenum'>p. 7</p><p>Two</p>", "One\n\nTwo", "page number"),
        ("<p>word<sup>12</sup> on</p>", "word on", "footnote mark"),
        ("<p>word<a class='fnanchor' href='#f'>[A]</a> on</p>", "word on", "footnote mark"),
        ("<p>word<a href='n.html#f'>[3]</a> on</p>", "word on", "footnote mark"),
        ("<p>word<a epub:type='noteref' href='#f'>3</a> on</p>", "word on", "footnote mark"),
        ("<p>One</p><div class='footnote'><p>[1] A note</p></div>", "One", "footnote"),
        ("<p>One</p><aside epub:type='footnote'>A note</aside>", "One", "footnote"),
        ("<div id='pg-header'>The Project</div><p>One</p>", "One", "Project Gutenberg boilerplate"),
        ("<section class='pg-boilerplate'>x</section>One", "One", "Project Gutenberg boilerplate"),
        ("<nav><a href='x'>Home</a></nav><p>One</p>", "One", "navigation"),
        ("<p>One<img src='x' alt='A cat'></p>", "One", "picture"),
        ("<p><ruby>漢<rt>かん</rt></ruby></p>", "漢", "reading beside a character"),
    ],
)  # fmt: skip
def test_what_belongs_to_the_page_is_dropped_and_noted(html: str, text: str, reason: str) -> None:
    removals = Removals()
    assert text_of(html, removals) == text
    assert [(record["reason"], record["count"]) for record in removals.records()] == [(reason, 1)]


@pytest.mark.parametrize("number", ["III.", "5"])
def test_an_anchored_number_is_a_pages_unless_it_is_all_that_a_heading_says(number: str) -> None:
    removals = Removals()
    html = f"<h2><a id='s3'>{number}</a></h2><p>One</p><h2><a id='p9'>9</a>The End</h2><h2><a id='p12'>[12]</a></h2>"
    assert text_of(html, removals) == f"\x022{number}\n\nOne\n\n\x022The End"
    assert [(record["reason"], record["count"]) for record in removals.records()] == [("page number", 2)]


def test_a_page_of_more_paragraphs_than_a_book_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextchapter.corpus.formats.blocks._MOST_BLOCKS", 100)
    with pytest.raises(UnreadableBookError, match="more than 100 paragraphs"):
        text_of("<p>x" * 200)


def test_a_page_that_is_typed_line_by_line_is_wrapped_text() -> None:
    document = read_html(b"<html><body><h1>T</h1><pre>\nA line\nand  its end\n\n   I\n</pre></body></html>", Removals())
    assert document.is_wrapped
    assert document.text == "\x021T\n\nA line\nand  its end\n\n   I"


def test_what_the_head_says() -> None:
    html = b"<html lang='fr'><head><title>Les\n Choses</title><meta name='author' content='G. P.'></head>x</html>"
    document = read_html(html, Removals())
    assert (document.title, document.author, document.language) == ("Les Choses", "G. P.", "fr")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Die Verwandlung, by Franz Kafka—A Project Gutenberg eBook", ("Die Verwandlung", "Franz Kafka")),
        ("The Project Gutenberg eBook of Emma, by Jane Austen", ("Emma", "Jane Austen")),
        ("Alice’s Adventures in Wonderland | Project Gutenberg", ("Alice’s Adventures in Wonderland", "")),
        ("Death by Water", ("Death by Water", "")),
    ],
)
def test_titles_of_project_gutenberg_name_the_author(title: str, expected: tuple[str, str]) -> None:
    assert split_title(title) == expected


@pytest.mark.parametrize(
    ("declaration", "encoding", "name"),
    [
        ("<meta charset='windows-1251'>", "cp1251", "cp1251"),
        ("<META http-equiv=Content-Type content='text/html; charset=koi8-r'>", "koi8-r", "koi8-r"),
        ("<?xml version='1.0' encoding='iso-8859-5'?>", "iso-8859-5", "iso8859-5"),
        ("<meta charset=windows-1251>", "utf-8", "utf-8"),
        ("", "utf-16", "utf-16-le"),
    ],
)
def test_the_encoding_is_the_declared_one_unless_the_bytes_are_good_utf8(
    declaration: str, encoding: str, name: str
) -> None:
    html = f"{declaration}<p>Война и мир</p>"
    decoded = decode_html(html.encode(encoding))
    assert (decoded.text, decoded.encoding) == (html, name)


@pytest.mark.parametrize("declared", ["hex", "nonsense", "utf-8", "utf-16"])
def test_a_declaration_that_cannot_be_is_passed_over(declared: str) -> None:
    assert decode_html(f"<meta charset={declared}><p>é".encode("latin-1")).text.endswith("é")


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000 + "deep" + "</div>" * 100_000,
        "<sup>" * 50_000 + "x" * 100_000 + "</sup>" * 50_000,
        "<b><p>" * 50_000 + "x",
        '<p title="' + "x" * 2_000_000 + '">text',
        "<p>a\0b\0</p>",
        "<!--" * 50_000 + "x",
        "<" * 200_000,
        "<table>" * 20_000 + "<tr><td>x",
        "&" * 200_000 + "&#x110000;&#xd800;",
    ],
)
def test_hostile_pages_are_read_to_their_end(html: str) -> None:
    page = parse_html(f"<p>before</p>{html}", Removals())
    assert page.blocks[0].lines == ["before"]
    assert all("\0" not in block.text for block in page.blocks)


@pytest.mark.skipif(not MESSY.is_dir(), reason="needs ../shared/data/messy")
def test_a_real_page_of_project_gutenberg(read: Callable[..., Document]) -> None:
    document = read((MESSY / "de_die-verwandlung_pg22367_latin1.htm").read_bytes(), "v.htm")
    headings = list(filter(None, map(read_heading, document.text.split("\n"))))
    assert headings == [(1, "DIE VERWANDLUNG"), (2, "I."), (2, "II."), (2, "III.")]
    assert (document.title, document.author, document.language) == ("Die Verwandlung", "Franz Kafka", "de")
    assert "»Was ist mit mir geschehen?« dachte er." in document.text
    assert "noch ein wenig weiterschliefe und alle Narrheiten" in document.text


@pytest.mark.skipif(not MESSY.is_dir(), reason="needs ../shared/data/messy")
def test_a_real_epub(read: Callable[..., Document]) -> None:
    document = read((MESSY / "en_alice_pg11.epub").read_bytes(), "alice.epub")
    headings = list(filter(None, map(read_heading, document.text.split("\n"))))
    assert [text for level, text in headings if level == 2 and text.startswith("CHAPTER")][-1:] == [
        "CHAPTER XII. Alice’s Evidence"
    ]
    assert len(headings) == 17
    assert (document.title, document.author, document.language) == (
        "Alice's Adventures in Wonderland", "Lewis Carroll", "en",
    )  # fmt: skip
