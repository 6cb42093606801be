"""Documents that are zip archives: EPUB, docx, odt. Only their texts are unpacked, and no more than is allowed."""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping

from nextchapter.corpus.document import Limits, UnreadableBookError

_MEDIA = frozenset(
    ".jpg .jpeg .png .gif .webp .bmp .tif .tiff .ico .svg .svgz .emf .wmf .ttf .otf .odttf .woff .woff2 .css .js .bin "
    ".mp3 .mp4 .m4a .m4v .ogg .wav .webm .pdf".split()
)
_MOST_MEMBERS = 10_000
_ENTRY = b"PK\x01\x02"
"""Begins each entry of a zip archive's list of its members."""


def refuse_too_many_parts(data: bytes) -> None:
    """Refuse a zip archive with so many members that the list of them, which `zipfile` reads whole, fills the memory.

    Raises:
        UnreadableBookError: a document has fewer.
    """
    members = data.count(_ENTRY)
    if members > _MOST_MEMBERS:
        raise UnreadableBookError(f"it has {members:,} parts; a document may have {_MOST_MEMBERS:,}")


def read_texts(data: bytes, limits: Limits) -> dict[str, bytes]:
    """Return the members of a document that may hold text, by name; pictures, fonts and sounds are left packed.

    Raises:
        UnreadableBookError: it is damaged, has a password, or is larger unpacked than a book may be.
    """
    refuse_too_many_parts(data)
    texts: dict[str, bytes] = {}
    left = limits.book_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            for member in _text_members(package, limits):
                # A member may be larger than it says: zipfile stops at the size it says, and then misses its checksum.
                texts[member.filename] = package.read(member)
                left -= len(texts[member.filename])
                if left < 0:
                    raise UnreadableBookError(f"unpacked it has more than {limits.book_bytes:,} bytes of text")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        if isinstance(error, UnreadableBookError):
            raise
        raise UnreadableBookError(f"its zip archive is damaged or incomplete ({error})") from error
    return texts


def _text_members(package: zipfile.ZipFile, limits: Limits) -> list[zipfile.ZipInfo]:
    unique = {member.filename: member for member in package.infolist() if not member.is_dir()}
    texts = [member for name, member in unique.items() if posixpath.splitext(name)[1].lower() not in _MEDIA]
    if any(member.flag_bits & 1 for member in texts):
        raise UnreadableBookError("it has a password; save a copy without it")
    declared = sum(member.file_size for member in texts)
    if declared > limits.book_bytes:
        raise UnreadableBookError(f"unpacked it has {declared:,} bytes of text; a book may have {limits.book_bytes:,}")
    return texts


def pack(texts: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of texts, not compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, text in texts.items():
            package.writestr(zipfile.ZipInfo(name), text)
    return buffer.getvalue()
