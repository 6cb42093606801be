"""What a file is by its first bytes, whatever its name says."""

import io
import re
import zipfile

from nextchapter.corpus.document import UnreadableBookError
from nextchapter.corpus.formats.packages import refuse_too_many_parts

_HEAD_BYTES = 4096
_UNREADABLE = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Word document, or an encrypted Office document; save it as .docx",
    b"\x1f\x8b": "a gzip archive inside another, or one without its suffix .gz",
    b"\xfd7zXZ\x00": "an xz archive inside another, or one without its suffix .xz",
    b"BZh": "a bzip2 archive inside another, or one without its suffix .bz2",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive; unpack it first",
    b"Rar!\x1a\x07": "a RAR archive; unpack it first",
    b"AT&TFORM": "a DjVu document; save its text",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x7fELF": "a program",
}
_MOBI = re.compile(rb"(?:BOOKMOBI|TEXtREAd)")
_PROLOGUE = rb"(?:\xef\xbb\xbf|\s|<\?[^>]*>|<!--(?>.*?-->)|<!DOCTYPE(?! html)[^>\[]*(?:\[[^\]]*\])?[^>]*>)*+"
_HTML = re.compile(_PROLOGUE + rb"<(?:!DOCTYPE html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_FB2 = re.compile(_PROLOGUE + rb"<(?:\w+:)?FictionBook\b", re.DOTALL)


def sniff_format(data: bytes) -> str | None:
    """Return the name of the format that the bytes begin like, or None where they could be any text.

    Raises:
        UnreadableBookError: they begin like something that is no book, or none that can be read.
    """
    head = data[:_HEAD_BYTES]
    for signature, kind in _UNREADABLE.items():
        if head.startswith(signature):
            raise UnreadableBookError(f"this is {kind}")
    if _MOBI.match(head, 60):
        raise UnreadableBookError("this is a Kindle book; convert it to EPUB first")
    if head.startswith(b"PK\x03\x04"):
        return _sniff_zip(data)
    if b"%PDF-" in head[:1024]:
        return "PDF"
    if head.startswith(b"{\\rtf"):
        return "RTF"
    letters = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")  # UTF-16 too
    if _FB2.match(letters):
        return "FB2"
    return "HTML" if _HTML.match(letters) else None


def _sniff_zip(data: bytes) -> str:
    """Return which of the formats that are zip archives this one is."""
    refuse_too_many_parts(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UnreadableBookError(f"this is a damaged or incomplete zip archive ({error})") from error
    if "META-INF/container.xml" in names:
        return "EPUB"
    if "word/document.xml" in names:
        return "docx"
    if {"content.xml", "META-INF/manifest.xml"} <= names:
        return "odt"
    raise UnreadableBookError(
        "this is a zip archive, but neither EPUB nor docx nor odt; name it .zip if it holds books"
    )
