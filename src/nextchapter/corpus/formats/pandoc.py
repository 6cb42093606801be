"""docx, odt and FB2: pandoc makes HTML of them, which the reader of web pages reads.

HTML and not pandoc's JSON: it keeps headings, anchors, notes and verse, and is a tenth of the size.
"""

import re
from dataclasses import replace
from functools import cache

import pypandoc
from lxml import etree

from nextchapter.corpus.document import Document, Limits, UnreadableBookError
from nextchapter.corpus.formats.blocks import join_blocks
from nextchapter.corpus.formats.child import run_child
from nextchapter.corpus.formats.html import Page, decode_html, parse_html
from nextchapter.corpus.formats.packages import pack, read_texts
from nextchapter.corpus.formats.xml_trees import first_text, parse_xml
from nextchapter.corpus.removals import Removals

_HEAP = "900M"
_HEAP_EXHAUSTED = 251
_TEMPLATE = """<html lang="$for(lang)$$lang$ $endfor$$for(language)$$language$ $endfor$"><head><title>$title$</title>
$for(author)$<meta name="author" content="$author$">$endfor$</head><body>
$body$
</body></html>
"""
_XML_ENCODING = re.compile(r"""(<\?xml[^>]{0,80})\sencoding=["'][\w.:-]+["']""")
_ENCRYPTED_ODT = b"encryption-data"
_PROPERTIES = {"docx": "docProps/core.xml", "odt": "meta.xml"}
_HEAD_BYTES = 50_000


def read_converted(kind: str, data: bytes, limits: Limits, removals: Removals) -> Document:
    """Return a book in one of the formats that pandoc converts.

    Args:
        kind: `docx`, `odt` or `FB2`.
        data: its bytes.
        limits: size of its texts, and time of the conversion.
        removals: notes what is left out.

    Raises:
        UnreadableBookError: it is damaged, locked, too large, or pandoc fails or takes too long.
    """
    if kind == "FB2":
        decoded = decode_html(data)
        xml = _XML_ENCODING.sub(r"\1", decoded.text.removeprefix("\ufeff"), count=1).encode()
        document = _document(kind, _convert(kind, xml, limits, removals), parse_xml(xml[:_HEAD_BYTES]))
        return replace(document, encoding=decoded.encoding, encoding_note=decoded.note)
    texts = read_texts(data, limits)
    if kind == "odt" and _ENCRYPTED_ODT in texts.get("META-INF/manifest.xml", b""):
        raise UnreadableBookError("it has a password; save a copy without it")
    page = _convert(kind, pack(texts), limits, removals)
    properties = parse_xml(texts.get(_PROPERTIES[kind], b""))
    return _document(kind, page, properties)


def _document(kind: str, page: Page, properties: etree._Element | None = None) -> Document:
    """Return a converted book; its file's properties name what pandoc does not."""
    languages = [*page.language.split(), first_text(properties, "language"), first_text(properties, "lang")]
    return Document(
        join_blocks(page.blocks),
        is_wrapped=page.is_preformatted,
        title=page.title or first_text(properties, "title"),
        author=page.author or first_text(properties, "creator"),
        language=next(filter(None, languages), ""),
        format=kind,
    )


def _convert(kind: str, data: bytes, limits: Limits, removals: Removals) -> Page:
    options = ["--to=html", "--template=template.html", "--wrap=none", "--email-obfuscation=none", "--sandbox"]
    outcome = run_child(
        [pandoc_path(), f"--from={kind.lower()}", *options, "+RTS", f"-M{_HEAP}", "-RTS"],
        data,
        limits.convert_s,
        largest_output=4 * limits.book_bytes,
        files={"template.html": _TEMPLATE},
    )
    if outcome.code == _HEAP_EXHAUSTED:
        raise UnreadableBookError(f"converting it takes more than {_HEAP} of memory; save it as plain text or HTML")
    if outcome.code:
        told = " ".join(outcome.errors.split())[:200] or f"exit status {outcome.code}"
        raise UnreadableBookError(f"it is no {kind} that pandoc can read: {told}")
    return parse_html(outcome.output.decode("utf-8", "replace"), removals)


@cache
def pandoc_path() -> str:
    """Return the path of the pandoc that comes with pypandoc's wheel, or of the one that is installed."""
    try:
        return str(pypandoc.get_pandoc_path())
    except OSError as error:
        raise UnreadableBookError("pandoc is missing: pip install pypandoc_binary") from error
