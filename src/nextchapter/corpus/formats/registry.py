"""Chooses the reader of a book: by its bytes first, then by its suffix."""

from nextchapter.corpus.document import Document, Limits, RawBook, UnreadableBookError
from nextchapter.corpus.formats.epub import read_epub
from nextchapter.corpus.formats.html import read_html
from nextchapter.corpus.formats.markdown import read_markdown
from nextchapter.corpus.formats.pandoc import read_converted
from nextchapter.corpus.formats.pdf import read_pdf
from nextchapter.corpus.formats.plain import read_plain
from nextchapter.corpus.formats.rtf import read_rtf
from nextchapter.corpus.formats.signatures import sniff_format
from nextchapter.corpus.removals import Removals
from nextchapter.shelf import FORMATS, split_name

_SIGNED = frozenset({"EPUB", "docx", "odt", "FB2", "RTF", "PDF"})
"""Formats that are known by their first bytes: a file without them is damaged, or another thing."""


def read_document(book: RawBook, limits: Limits, removals: Removals) -> Document:
    """Return the text of a book in any of the formats of `FORMATS`.

    Args:
        book: name and bytes of its file.
        limits: how much it may take.
        removals: notes what is left out: footnotes, page numbers, boilerplate.

    Raises:
        UnreadableBookError: it can't be read; the message says why.
    """
    data = book.data
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableBookError("the file is empty")
    document = _read(choose_format(book), data, limits, removals)
    if len(document.text) > limits.book_bytes:
        found, allowed = len(document.text), limits.book_bytes
        raise UnreadableBookError(f"it has {found:,} characters; a book may have {allowed:,} (corpus.max_book_mb)")
    if not any(map(str.isalnum, document.text)):
        raise UnreadableBookError("there is no text in it")
    return document


def choose_format(book: RawBook) -> str:
    """Return the name of a book's format; its bytes count more than its suffix.

    Raises:
        UnreadableBookError: it is no book, or not what its suffix says.
    """
    sniffed = sniff_format(book.data)
    suffix = split_name(book.file).format
    expected = FORMATS.get(suffix, "plain text")
    if sniffed is None and expected in _SIGNED:
        raise UnreadableBookError(f"it is named {suffix} but does not begin like one: another format, or damaged")
    return sniffed or expected


def _read(kind: str, data: bytes, limits: Limits, removals: Removals) -> Document:
    match kind:
        case "HTML":
            return read_html(data, removals)
        case "Markdown":
            return read_markdown(data, removals)
        case "RTF":
            return read_rtf(data, removals)
        case "PDF":
            return read_pdf(data, limits, removals)
        case "EPUB":
            return read_epub(data, limits, removals)
        case "docx" | "odt" | "FB2":
            return read_converted(kind, data, limits, removals)
        case _:
            return read_plain(data)
