from collections.abc import Callable

import pytest

from nextchapter.corpus.document import Document, UnreadableBookError, read_heading
from nextchapter.corpus.formats.blocks import Block
from nextchapter.corpus.formats.epub import NavigationPoint, place_headings, read_package

PAGES = {
    "one.xhtml": '<p class="t">PART ONE</p><p id="c1">1</p><p>It began.</p><p>It went on.</p>',
    "two.xhtml": '<p>The second began.</p><p id="c3">Third</p><p>The third began.</p>',
}
NAV = """<ol><li><a href="one.xhtml">Part One</a><ol><li><a href="one.xhtml#c1">1</a></li>
<li><a href="two.xhtml">2.  The Second</a></li><li><a href="two.xhtml#c3">Third</a></li></ol></li></ol>"""
NCX = """<navPoint><navLabel><text>Part One</text></navLabel><content src="one.xhtml"/>
<navPoint><navLabel><text>1</text></navLabel><content src="one.xhtml#c1"/></navPoint>
<navPoint><navLabel><text>2. The Second</text></navLabel><content src="two.xhtml"/></navPoint>
<navPoint><navLabel><text>Third</text></navLabel><content src="two.xhtml#c3"/></navPoint></navPoint>"""
LINES = [
    (1, "Part One"), (2, "1"), "It began.", "It went on.",
    (2, "2. The Second"), "The second began.", (2, "Third"), "The third began.",
]  # fmt: skip


def lines_of(document: Document) -> list[object]:
    return [read_heading(line) or line for line in document.text.split("\n") if line]


@pytest.mark.parametrize("contents", [{"nav": NAV}, {"ncx": NCX}, {"nav": "<ol/>", "ncx": NCX}])
def test_headings_come_from_the_navigation(
    read: Callable[..., Document], epub_of: Callable[..., bytes], contents: dict[str, str]
) -> None:
    assert lines_of(read(epub_of(PAGES, **contents), "b.epub")) == LINES


def test_a_page_in_another_folder_whose_name_is_quoted(
    read: Callable[..., Document], epub_of: Callable[..., bytes]
) -> None:
    nav = '<ol><li><a href="text/page%201.xhtml">One</a></li></ol>'
    data = epub_of(
        {"text/page%201.xhtml": ""}, nav=nav, **{"OPS/text/page 1.xhtml": "<html><body><p>Words.</p></body></html>"}
    )
    assert lines_of(read(data, "b.epub")) == [(1, "One"), "Words."]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([Block(["I."], 2, anchors=("f",)), Block(["Text"])], ["2I.", "0Text"]),  # a heading stands there
        ([Block(["By"], anchors=("f",)), Block(["CHAPTER I"], 3)], ["0By", "3CHAPTER I"]),  # and here a line below
        ([Block(["CHAPTER I"], 3), Block(["By"], anchors=("f",))], ["3CHAPTER I", "0By"]),  # and here above
        ([Block(["Chapter"], anchors=("f",)), Block(["I"]), Block(["It was I"])], ["1Chapter I", "0It was I"]),
        ([Block(["Text"], anchors=("other",))], ["0Text"]),
    ],
)
def test_no_heading_is_placed_twice(blocks: list[Block], expected: list[str]) -> None:
    placed = place_headings(blocks, [NavigationPoint("Chapter I", 1, ("f",))])
    assert [f"{block.level}{block.text}" for block in placed] == expected


def test_placed_headings_take_the_level_of_those_that_stand() -> None:
    blocks = [Block(["One"], 2, anchors=("a",)), Block(["Text"], anchors=("b",))]
    points = [NavigationPoint("One", 1, ("a",)), NavigationPoint("Two", 1, ("b",))]
    assert [block.level for block in place_headings(blocks, points)] == [2, 2, 0]


def test_a_hostile_navigation_expands_nothing() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;"><!ENTITY p SYSTEM "file:///etc/passwd">]>'
    container = b'<container><rootfile full-path="o"/></container>'
    package = (
        b'<p><item href="n" media-type="application/x-dtbncx+xml"/><item id="f" href="f"/><itemref idref="f"/></p>'
    )
    ncx = bomb + b'<n><navPoint><text>One &b;&p;</text><content src="f"/></navPoint></n>'
    read = read_package({"META-INF/container.xml": container, "o": package, "n": ncx, "f": b"<p>text</p>"})
    assert [point.label for point in read.navigation] == ["One &b;&p;"]


def test_a_navigation_in_a_damaged_namespace_is_read() -> None:
    container = b'<container><rootfile full-path="o"/></container>'
    package = (
        b'<p><item href="n" media-type="application/x-dtbncx+xml"/><item id="f" href="f"/><itemref idref="f"/></p>'
    )
    ncx = b'<n xmlns="}}}--"><navMap><navPoint><text>One</text><content src="f"/></navPoint></navMap></n>'
    read = read_package({"META-INF/container.xml": container, "o": package, "n": ncx, "f": b"<p>text</p>"})
    assert [(point.label, point.depth) for point in read.navigation] == [("One", 1)]


@pytest.mark.parametrize("members", [{}, {"META-INF/container.xml": b"\xff<"}, {"META-INF/container.xml": b""}])
def test_without_a_readable_package_there_is_no_book(members: dict[str, bytes]) -> None:
    with pytest.raises(UnreadableBookError, match="lists no page"):
        read_package(members)


ENCRYPTION = (
    '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><enc:EncryptedData '
    'xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptionMethod Algorithm="{}"/></enc:EncryptedData>'
    "</encryption>"
)


def test_a_book_under_drm_is_refused(read: Callable[..., Document], epub_of: Callable[..., bytes]) -> None:
    lock = {"META-INF/encryption.xml": ENCRYPTION.format("http://www.w3.org/2001/04/xmlenc#aes128-cbc")}
    with pytest.raises(UnreadableBookError, match="DRM"):
        read(epub_of(PAGES, **lock), "b.epub")


def test_obfuscated_fonts_lock_nothing(read: Callable[..., Document], epub_of: Callable[..., bytes]) -> None:
    fonts = {"META-INF/encryption.xml": ENCRYPTION.format("http://www.idpf.org/2008/embedding")}
    assert "It began." in read(epub_of(PAGES, **fonts), "b.epub").text
