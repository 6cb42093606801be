import bz2
import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest

from nextchapter.corpus.document import Document, Limits, UnreadableBookError, read_heading
from nextchapter.corpus.removals import Removals

HTML = b"<!DOCTYPE html><html><body><p>Text.</p></body></html>"


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name.replace("__", "/"))  # of a fixed date
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, data)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["epub2", "epub3", "docx", "odt", "fb2", "rtf"])
def test_one_book_in_every_format(read: Callable[..., Document], written: Callable[[str], bytes], kind: str) -> None:
    removals = Removals()
    document = read(written(kind), f"b.{kind.rstrip('23') if 'epub' in kind else kind}", removals=removals)
    lines = [read_heading(line) or line for line in document.text.split("\n")]
    level = 2 if kind == "fb2" else 1  # its outermost heading is the book's title
    start = lines.index((level, "Part One"))
    assert lines[start:] == [
        (level, "Part One"), "", (level + 1, "Chapter 1"), "", "It was late. “Come in,” said Zoë.", "",
        "Over the hill", "And home again", "", (level + 1, "Chapter 2"), "", "The road went on.",
    ]  # fmt: skip
    assert "footnote" in {record["reason"] for record in removals.records()}
    assert not document.is_wrapped
    if kind != "rtf":  # pandoc writes no properties into RTF
        assert (document.title, document.author) == ("The Wild Road", "Jane Roe")
    if kind not in ("rtf", "fb2"):
        assert document.language == "en-GB"


@pytest.mark.parametrize("file", ["b.txt", "b", "b.md", "b.pdf"])
@pytest.mark.parametrize("kind", ["epub3", "docx", "odt", "fb2", "rtf", "html"])
def test_a_book_is_what_its_bytes_say(
    read: Callable[..., Document], written: Callable[[str], bytes], file: str, kind: str
) -> None:
    names = {"epub3": "EPUB", "docx": "docx", "odt": "odt", "fb2": "FB2", "rtf": "RTF", "html": "HTML"}
    assert read(written(kind), file).format == names[kind]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_html_is_known_behind_a_byte_order_mark(read: Callable[..., Document], encoding: str) -> None:
    assert read(HTML.decode().encode(encoding), "b.txt").text == "Text."


@pytest.mark.parametrize("suffix", ["epub", "docx", "odt", "fb2", "rtf", "pdf"])
def test_text_under_another_name_is_refused(read: Callable[..., Document], suffix: str) -> None:
    with pytest.raises(UnreadableBookError, match=rf"named \.{suffix}"):
        read(b"Only words.", f"b.{suffix}")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\0\0 \n", "empty"),
        (b"... --- ...", "no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "old Word"),
        (gzip.compress(b"text", mtime=0), "gzip"),
        (bz2.compress(b"text"), "bzip2"),
        (b"x" * 60 + b"BOOKMOBI", "Kindle"),
        (b"\x89PNG\r\n", "picture"),
        (zipped(a=b"text"), "neither EPUB"),
        (zipped(a=b"text")[:-10], "damaged"),
        (zipped(META_INF=b"")[:30], "damaged"),
        (bytes(range(256)) * 20, "binary"),
    ],
    ids=range(12),
)
def test_what_is_no_book_is_refused_by_name(read: Callable[..., Document], data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableBookError, match=reason):
        read(data, "b.txt")


def test_a_file_may_not_be_larger_than_allowed(read: Callable[..., Document]) -> None:
    with pytest.raises(UnreadableBookError, match="101 characters"):
        read(b"x" * 101, "b.txt", Limits(book_bytes=100))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(read: Callable[..., Document]) -> None:
    bomb = zipped(**{"META-INF__container.xml": b"<x/>", "a.html": bytes(50_000_000)})
    with pytest.raises(UnreadableBookError, match="50,000,004 bytes"):
        read(bomb, "b.epub", Limits(book_bytes=1_000_000))


def test_a_list_of_members_that_would_fill_the_memory_is_not_read(read: Callable[..., Document]) -> None:
    bomb = zipped(a=b"") + b"PK\x01\x02" * 3_000_000
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableBookError, match="it has 3,000,001 parts; a document may have 10,000"):
            read(bomb, "b.docx")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_member_that_is_larger_than_it_says_is_refused(read: Callable[..., Document]) -> None:
    package = zipped(**{"META-INF__container.xml": b"<x/>", "a.html": b"z" * 5000})
    lying = package.replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(UnreadableBookError, match="damaged"):
        read(lying, "b.epub")


def test_plain_text_forges_no_heading(read: Callable[..., Document]) -> None:
    assert read(b"\x021Not a heading\n", "b.txt").text == "1Not a heading\n"
