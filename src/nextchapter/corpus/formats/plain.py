"""Plain text, whose lines may be wrapped."""

from nextchapter.corpus.decoding import decode
from nextchapter.corpus.document import Document
from nextchapter.corpus.formats.blocks import without_marks


def read_plain(data: bytes) -> Document:
    """Return a plain text book.

    Raises:
        UnreadableBookError: the bytes are no text.
    """
    decoded = decode(data)
    return Document(
        without_marks(decoded.text),
        is_wrapped=True,
        format="plain text",
        encoding=decoded.encoding,
        encoding_note=decoded.note,
    )
