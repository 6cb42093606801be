"""Books in the formats that people have them in, made when a test asks for them."""

import io
import subprocess
import zipfile
from collections.abc import Callable, Mapping

import pypandoc
import pytest

from nextchapter.corpus.document import Document, Limits, RawBook
from nextchapter.corpus.formats.registry import read_document
from nextchapter.corpus.removals import Removals

LIMITS = Limits()
BOOK = """---
title: The Wild Road
author: Jane Roe
lang: en-GB
---

# Part One

## Chapter 1

It was *late*.[^1] “Come in,” said Zoë.

| Over the hill
| And home again

## Chapter 2

The road went on.

[^1]: A note of the printer.
"""
_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)


@pytest.fixture
def read() -> Callable[..., Document]:
    """Return a function that reads a book from its bytes."""

    def run(data: bytes, file: str, limits: Limits = LIMITS, removals: Removals | None = None) -> Document:
        return read_document(RawBook("book", file, data), limits, removals or Removals())

    return run


@pytest.fixture(scope="session")
def written() -> Callable[[str], bytes]:
    """Return a function that gives `BOOK` in one of pandoc's formats."""
    made: dict[str, bytes] = {}

    def write(kind: str) -> bytes:
        if kind not in made:
            command = [pypandoc.get_pandoc_path(), "-s", "-f", "markdown", "-t", kind, "-o", "-"]
            made[kind] = subprocess.run(command, input=BOOK.encode(), capture_output=True, check=True).stdout
        return made[kind]

    return write


@pytest.fixture(scope="session")
def epub_of() -> Callable[..., bytes]:
    """Return a function that packs pages, a table of contents and more members into an EPUB."""

    def make(pages: Mapping[str, str], nav: str = "", ncx: str = "", **more: str) -> bytes:
        items = "".join(
            f'<item id="p{n}" href="{page}" media-type="application/xhtml+xml"/>' for n, page in enumerate(pages)
        )
        items += '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>' if nav else ""
        items += '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>' if ncx else ""
        spine = "".join(f'<itemref idref="p{number}"/>' for number in range(len(pages)))
        package = (
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title></metadata>'
            f'<manifest>{items}</manifest><spine toc="ncx">{spine}</spine></package>'
        )
        members = {"META-INF/container.xml": _CONTAINER, "OPS/book.opf": package}
        members |= {f"OPS/{page}": _page(body) for page, body in pages.items()}
        members |= {"OPS/nav.xhtml": _page(f'<nav epub:type="toc">{nav}</nav>')} if nav else {}
        members |= {"OPS/toc.ncx": _ncx(ncx)} if ncx else {}
        return packed(members | more)

    return make


def packed(members: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in members.items():
            package.writestr(name, text)
    return buffer.getvalue()


def _page(body: str) -> str:
    spaces = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
    return f"<html {spaces}><head><title>t</title></head><body>{body}</body></html>"


def _ncx(points: str) -> str:
    return f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap>{points}</navMap></ncx>'
