"""PDF with a text layer: a process of its own reads it, for a broken PDF can crash its parser."""

import json
import sys
from pathlib import Path

from nextchapter.corpus.document import Document, Limits, UnreadableBookError
from nextchapter.corpus.formats.blocks import without_marks
from nextchapter.corpus.formats.child import run_child
from nextchapter.corpus.formats.pdf_layout import Bookmark, place_bookmarks, remove_running_heads
from nextchapter.corpus.formats.pdf_pages import REFUSED
from nextchapter.corpus.removals import Removals

_FEWEST_CHARACTERS = 20
"""A page of text has more; where the mean is below it, the pages are pictures."""


def read_pdf(data: bytes, limits: Limits, removals: Removals) -> Document:
    """Return a PDF's text, a form feed between its pages; headings stand where a sound outline leads.

    Raises:
        UnreadableBookError: it is damaged, encrypted, has no text layer, or takes too long.
    """
    program = Path(__file__).with_name("pdf_pages.py")
    outcome = run_child([sys.executable, "-P", program], data, limits.convert_s, largest_output=limits.book_bytes)
    if outcome.code == REFUSED:
        raise UnreadableBookError(outcome.errors)
    if outcome.code:
        raise UnreadableBookError(f"it is a damaged PDF: the parser ended with status {outcome.code}")
    header, _, text = outcome.output.decode("utf-8", "replace").partition("\n")
    told = json.loads(header)
    pages = [page.split("\n") for page in without_marks(text).split("\f")]
    if sum(not character.isspace() for character in text) < _FEWEST_CHARACTERS * len(pages):
        raise UnreadableBookError(f"its {len(pages)} pages are scanned pictures without text; run OCR on it first")
    outline = [Bookmark(level, page, without_marks(title)) for level, page, title in told["outline"]]
    pages = place_bookmarks(remove_running_heads(pages, removals), outline)
    joined = "\n\f".join("\n".join(page).removesuffix("\n") for page in pages)
    return Document(f"{joined}\n", is_wrapped=True, title=told["title"], author=told["author"], format="PDF")
