"""From a file on the shelf to the books in it: unpacked, out of archives and tables, one at a time.

Nothing is written under the name that an archive gives, so no archive can reach outside. Sizes are counted while
unpacking, whatever the archive declares.
"""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Self, cast

from nextchapter.corpus.document import Limits, RawBook, Record, UnreadableBookError
from nextchapter.corpus.tables import MOST_BOOKS, copy_bounded, megabytes, read_table
from nextchapter.shelf import PLAIN_SUFFIXES, TABLES, DistinctNames, Refused, ShelfName, printable, split_name

DOCUMENT_FACTOR = 4
"""A document's file may be so many times as large as a book's text: it has pictures and markup."""
MOST_EXPANSION = 100
"""What is packed may unpack to so many times its size; text packs to a tenth at best."""

_CHUNK_BYTES = 1 << 16
_BUFFER_BYTES = 1 << 20
_XZ_MEMORY_BYTES = 128 << 20  # xz -9 asks for 65 MB
_DIRECTORY_BYTES = 16 << 20  # what zipfile makes of it takes ten times as much
_TAR_HEADER_BYTES = 1 << 16
_LONGEST_NAME = 1000
_ZIP_ENCRYPTED, _ZIP_HEADER_BYTES = 0x1, 30
_ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # zipfile unpacks the others at any size
_EXTENDED_HEADERS = {
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
}  # fmt: skip
_FAILURES = (
    ValueError,  # among them UnreadableBookError, UnicodeError, and what tarfile makes of broken numbers
    OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError,
    NotImplementedError, RecursionError,  # features of zip; tar headers that announce tar headers
)  # fmt: skip


class BombError(Exception):
    """What is packed unpacks to so much that nothing more of it is read."""


@dataclass(frozen=True)
class _Member:
    """A file inside an archive that can be read."""

    name: str
    file: str
    kind: ShelfName


def open_shelf_file(path: Path, file: str, limits: Limits) -> Iterator[RawBook | Record | Refused]:
    """Yield the books in a file of the shelf, the rows in a table, and what could not be read, as they come.

    At most one book is held in memory. What is wrong with a file never raises: it is refused with a reason.

    Args:
        path: the file.
        file: its path in the shelf, with suffixes and forward slashes.
        limits: what a book may take.
    """
    kind = split_name(file)
    if not kind.is_readable:
        yield Refused(file, kind.problem)
        return
    try:
        with _open_regular(path) as stream:
            size_bytes = os.fstat(stream.fileno()).st_size
            budget = _Budget(max(MOST_EXPANSION * size_bytes, DOCUMENT_FACTOR * limits.book_bytes))
            if kind.is_archive:
                read = _read_tar if kind.format == ".tar" else _read_zip
                yield from read(stream, kind, file, limits, budget)
            else:
                yield from _read_file(stream, size_bytes, _Member(kind.stem, file, kind), limits, budget)
    except (BombError, *_FAILURES) as error:
        yield Refused(file, _reason(error))


def _open_regular(path: Path) -> BinaryIO:
    """Open a file; reading from a pipe or a device could last for ever."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise UnreadableBookError("a folder" if stat.S_ISDIR(mode) else "a device or a pipe, not a file")
    return path.open("rb", buffering=_BUFFER_BYTES)


def _read_file(
    stream: BinaryIO, size_bytes: int, member: _Member, limits: Limits, budget: "_Budget"
) -> Iterator[RawBook | Record | Refused]:
    """Yield the one book in a document, or the rows of a table.

    Args:
        stream: the file, compressed or not.
        size_bytes: what the file, or the archive that it is in, says of its size.
        member: what it is.
        limits: what a book may take.
        budget: what may still be unpacked.
    """
    if member.kind.compression:
        stream = _metered(_unpack(stream, member.kind.compression), budget)
    if member.kind.format in TABLES:
        yield from read_table(stream, member.kind.format, member.name, member.file, limits)
    else:
        yield _read_document(stream, size_bytes, member, limits)


def _read_document(stream: BinaryIO, size_bytes: int, member: _Member, limits: Limits) -> RawBook:
    factor = 1 if member.kind.format in PLAIN_SUFFIXES else DOCUMENT_FACTOR
    most_bytes = factor * limits.book_bytes
    advice = "split it, or raise the limit (corpus.max_book_mb)"
    if size_bytes > most_bytes:
        allowed = f"a{'' if factor == 1 else f' {member.kind.format}'} book may have {megabytes(most_bytes)}"
        raise UnreadableBookError(f"the file has {megabytes(size_bytes)} MB; {allowed}: {advice}")
    data = io.BytesIO()
    copy_bounded(stream, data, most_bytes, advice)
    if not data.tell():
        raise UnreadableBookError("it is empty")
    return RawBook(member.name, member.file, data.getvalue())


def _read_zip(
    file_stream: BinaryIO, kind: ShelfName, file: str, limits: Limits, budget: "_Budget"
) -> Iterator[RawBook | Record | Refused]:
    members = _Members(kind, file)
    with zipfile.ZipFile(cast("IO[bytes]", _ZipBytes(file_stream))) as archive:
        _refuse_overlaps(archive.infolist())
        for entry in archive.infolist():
            member = None if entry.filename.endswith("/") else members.find(entry.filename, _zip_problem(entry))
            if not isinstance(member, _Member):
                yield from [member] if member else []
                continue
            try:
                with archive.open(entry) as stream:
                    metered = _metered(cast("BinaryIO", stream), budget)
                    yield from _read_file(metered, entry.file_size, member, limits, budget)
            except _FAILURES as error:
                yield Refused(member.file, _reason(error))
    members.refuse_none()


def _read_tar(
    file_stream: BinaryIO, kind: ShelfName, file: str, limits: Limits, budget: "_Budget"
) -> Iterator[RawBook | Record | Refused]:
    members = _Members(kind, file)
    whole = file_stream
    if kind.compression:  # counted apart, so that no byte counts twice
        whole = _metered(_unpack(file_stream, kind.compression), _Budget(budget.most_bytes))
    archive: Any  # typeshed does not know `members`
    with tarfile.open(fileobj=whole, mode="r|", tarinfo=_TarEntry) as archive:
        while (entry := archive.next()) is not None:
            for grows_with_the_archive in (archive.members, archive.pax_headers):
                grows_with_the_archive.clear()
            member = None if entry.isdir() else members.find(entry.name, _tar_problem(entry))
            if not isinstance(member, _Member):
                yield from [member] if member else []
                continue
            try:
                stream = _metered(archive.extractfile(entry), budget)
                yield from _read_file(stream, entry.size, member, limits, budget)
            except _FAILURES as error:
                yield Refused(member.file, _reason(error))
    members.refuse_none()


class _Members:
    """Tells which of an archive's files can be read, and names them."""

    def __init__(self, archive: ShelfName, file: str) -> None:
        self._archive, self._file = archive, file
        self._names = DistinctNames()
        self._count = 0

    def find(self, path: str, problem: str) -> _Member | Refused | None:
        """Return a file of the archive, or why it can't be read; None for what no reader would miss.

        Args:
            path: its path as the archive gives it.
            problem: why it can't be read, whatever its path.
        """
        path = printable(path.replace("\\", "/"))
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or any(part == "__MACOSX" or (part.startswith(".") and part != "..") for part in parts):
            return None
        self._count += 1
        if self._count > MOST_BOOKS:
            raise BombError(f"an archive may hold {MOST_BOOKS:,} files; those after them are not read")
        inside = "/".join(parts)
        file, kind = f"{self._file}/{inside[:_LONGEST_NAME]}", split_name(inside)
        if len(inside) > _LONGEST_NAME:
            return Refused(file, f"its name has {len(inside):,} characters; {_LONGEST_NAME:,} are allowed")
        if path.startswith("/") or ".." in parts or parts[0].endswith(":"):
            return Refused(file, "its name leads out of the archive")
        if problem:
            return Refused(file, problem)
        if not kind.is_readable or kind.is_archive:
            return Refused(file, "an archive inside an archive; unpack it" if kind.is_archive else kind.problem)
        stem = self._archive.stem
        name = stem if self._archive.format == ".fb2.zip" else f"{stem}/{kind.stem}"
        return _Member(self._names.add(name), file, kind)

    def refuse_none(self) -> None:
        """Raise an error where the archive held nothing that could be read or named."""
        if not self._count:
            raise UnreadableBookError("there is no book in it")


class _Budget:
    """Counts what an archive unpacks to."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes, self._left = most_bytes, most_bytes

    def spend(self, size_bytes: int) -> None:
        """Take note of so many bytes more."""
        self._left -= size_bytes
        if self._left < 0:
            raise BombError(
                f"it unpacks to more than {megabytes(self.most_bytes)} MB, {MOST_EXPANSION} times its size "
                "or more: a bomb? The rest is not read; unpack it first if it is none"
            )


class _Metered(io.RawIOBase):
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: BinaryIO, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.read(len(buffer))
        self._budget.spend(len(data))
        buffer[: len(data)] = data
        return len(data)


def _metered(stream: BinaryIO, budget: _Budget) -> io.BufferedReader:
    return io.BufferedReader(_Metered(stream, budget), _BUFFER_BYTES)


class _XzFile(io.RawIOBase):
    """The bytes in an .xz file, unpacked in bounded memory, which `lzma.LZMAFile` does not offer."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decompressor = self._new_decompressor()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            packed = b""
            if self._decompressor.eof:  # another stream may follow, after padding
                packed = self._decompressor.unused_data.lstrip(b"\0") or self._stream.read(_CHUNK_BYTES).lstrip(b"\0")
                if not packed:
                    return 0
                self._decompressor = self._new_decompressor()
            elif self._decompressor.needs_input:
                packed = self._stream.read(_CHUNK_BYTES)
                if not packed:
                    raise EOFError
            data = self._decompressor.decompress(packed, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)

    @staticmethod
    def _new_decompressor() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY_BYTES)


def _unpack(stream: BinaryIO, compression: str) -> BinaryIO:
    match compression:
        case ".gz":
            return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
        case ".bz2":
            return cast("BinaryIO", bz2.BZ2File(stream))
        case _:
            return io.BufferedReader(_XzFile(stream))


class _ZipBytes:
    """The bytes of a zip file for `zipfile`, which would take a directory of any size into memory at once."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek, self.tell, self.seekable = stream.seek, stream.tell, stream.seekable

    def read(self, size_bytes: int = -1) -> bytes:
        if size_bytes > _DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"a directory of {megabytes(size_bytes)} MB")
        return self._stream.read(size_bytes)


class _TarEntry(tarfile.TarInfo):
    """A header of a tar file; one that announces further headers of any size is refused."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        entry = super().frombuf(buf, encoding, errors)
        if entry.type in _EXTENDED_HEADERS and entry.size > _TAR_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {megabytes(entry.size)} MB")
        return entry


def _refuse_overlaps(entries: list[zipfile.ZipInfo]) -> None:
    """Refuse a zip file whose members share bytes, so that few of them unpack to any size."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise BombError("its members overlap, as those of a bomb do")
        end = entry.header_offset + _ZIP_HEADER_BYTES + entry.compress_size


def _zip_problem(entry: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "a link"
    if entry.flag_bits & _ZIP_ENCRYPTED:
        return "encrypted; unpack it with its password"
    if entry.compress_type not in _ZIP_METHODS:
        return f"packed by a method (number {entry.compress_type}) other than deflate; unpack it"
    return ""


def _tar_problem(entry: tarfile.TarInfo) -> str:
    if entry.issym() or entry.islnk():
        return "a link"
    return "" if entry.isreg() else "a device or a pipe, not a file"


def _reason(error: BaseException) -> str:
    if isinstance(error, UnreadableBookError | BombError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, EOFError):
        return "it ends early: the file is cut off"
    return f"it is damaged: {str(error)[:200] or type(error).__name__}"
