"""From bytes to text: which encoding a file is in, and whether it is a text at all."""

import codecs
import re
from dataclasses import dataclass

from nextchapter.corpus.document import UnreadableBookError
from nextchapter.corpus.encodings import guess_encodings

BYTE_ORDER_MARK = "byte order mark"
"""How the note begins where such a mark decided."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SIGNATURES = {
    b"%PDF-": "a PDF document",
    b"PK\x03\x04": "a zip archive, such as EPUB, docx and odt",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "an RTF document",
}
_TEXT_CONTROLS = b"\t\n\v\f\r\x1a\x1b"
_CONTROLS = bytes(set(range(32)) - set(_TEXT_CONTROLS))
_MOST_CONTROLS = 0.02
_DECLARED = re.compile(rb"^Character set encoding:\s*([\w.:-]+)", re.IGNORECASE | re.MULTILINE)
_HEAD_BYTES = 20_000
_ZEROS_OF_WIDE_TEXT = 0.7


@dataclass(frozen=True)
class Decoded:
    """The text of a file."""

    text: str
    encoding: str
    """Name of the encoding it was read in."""
    note: str
    """How the encoding was chosen where that was not certain, else empty."""


def decode(data: bytes) -> Decoded:
    """Return the text of a file's bytes.

    A byte order mark decides; else valid UTF-8 is UTF-8, with a few broken bytes too; else the encoding that a
    Project Gutenberg header declares; else the likeliest of the encodings in which all of the bytes have a meaning.

    Raises:
        UnreadableBookError: the bytes are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding, BYTE_ORDER_MARK)
    wide = _wide_encoding(data)
    if wide is not None:
        return _lenient(data, wide, "every other byte is zero")
    _refuse_binary(data)
    try:
        return Decoded(data.decode("utf-8"), "utf-8", "")
    except UnicodeDecodeError:
        if _is_mostly_utf8(data):
            return _lenient(data, "utf-8", "not all of it is valid")
    declared = _declared_encoding(data)
    if declared is not None:
        return _lenient(data, declared, "not UTF-8; declared in its header")
    for guess in guess_encodings(data):
        try:
            note = f"not UTF-8; the likeliest by its letters, confidence {guess.confidence:.2f}"
            return Decoded(data.decode(guess.encoding), guess.encoding, note)
        except UnicodeDecodeError:
            continue
    return _lenient(data, "cp1252", "not UTF-8, and no known encoding fits; taken for Windows-1252")


def _lenient(data: bytes, encoding: str, note: str) -> Decoded:
    text = data.decode(encoding, "replace")
    broken = text.count("\ufffd")
    return Decoded(text, encoding, f"{note}; {broken} broken characters" if broken else note)


def _is_mostly_utf8(data: bytes) -> bool:
    """Return whether ten characters beyond ASCII are good UTF-8 for each one that is broken."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return beyond_ascii > 11 * broken


def _wide_encoding(data: bytes) -> str | None:
    """Return UTF-16 of the byte order that puts zeros in every other place and nowhere else, as Western text does."""
    head = data[:_HEAD_BYTES]
    zeros = [head[place::2].count(0) for place in (0, 1)]
    if min(zeros) or max(zeros) < _ZEROS_OF_WIDE_TEXT * len(head) / 2:
        return None
    return "utf-16-be" if zeros[0] else "utf-16-le"


def _refuse_binary(data: bytes) -> None:
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            raise UnreadableBookError(f"this is {kind}, not plain text")
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if controls > _MOST_CONTROLS * len(data) + 4:
        raise UnreadableBookError(
            f"this is a binary file: {controls:,} of its {len(data):,} bytes are control characters"
        )


def _declared_encoding(data: bytes) -> str | None:
    declared = _DECLARED.search(data[:_HEAD_BYTES])
    if declared is None:
        return None
    try:
        name = codecs.lookup(declared[1].decode("ascii", "replace")).name
        b"text".decode(name)
    except (LookupError, UnicodeError):
        return None
    if name == "ascii" or name.startswith("utf"):
        return None
    return "cp1252" if name == "iso8859-1" else name
