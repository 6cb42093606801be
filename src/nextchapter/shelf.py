"""What lies on a shelf: which file names are books, and all the books in a folder. Light: each call of Snakemake asks.

A name ends in a chain of suffixes: `.txt`, `.txt.gz`, `.jsonl.xz`, `.tar.gz`. Case does not matter.
"""

import os
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FORMATS: Mapping[str, str] = {
    ".txt": "plain text",
    ".text": "plain text",
    ".md": "Markdown",
    ".markdown": "Markdown",
    ".html": "HTML",
    ".htm": "HTML",
    ".xhtml": "HTML",
    ".epub": "EPUB",
    ".docx": "docx",
    ".odt": "odt",
    ".fb2": "FB2",
    ".rtf": "RTF",
    ".pdf": "PDF",
}
"""Suffixes of single books, and the names of their formats."""
PLAIN_SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown"})
COMPRESSIONS = frozenset({".gz", ".xz", ".bz2"})
ARCHIVES = frozenset({".zip", ".fb2.zip", ".tar"})
"""`.fb2.zip` holds one FB2 book, as such books are handed round; the book is called after the archive."""
TABLES = frozenset({".parquet", ".jsonl", ".ndjson", ".csv", ".tsv"})

_SHORT = {".tgz": ".gz", ".tbz": ".bz2", ".tbz2": ".bz2", ".txz": ".xz"}
_HINTS = {
    "convert it to EPUB": ".mobi .azw .azw3 .azw4 .kfx .lit .lrf .pdb .prc .chm .cbz .cbr .opf",
    "save it as .docx or .odt": ".doc .dot .docm .wpd .wps .pages .sxw",
    "save it as a PDF with a text layer": ".djvu .djv .ps .xps .tex .dvi",
    "a picture has no text; recognise it first (OCR)": ".jpg .jpeg .png .gif .tif .tiff .bmp .webp .svg",
    "a recording has no text": ".mp3 .m4a .m4b .ogg .flac .wav .aax .mp4",
    "save it as .csv": ".xls .xlsx .ods .tab .sqlite .db .arrow .feather",
    "save it as .jsonl, an object a line": ".json",
    "unpack it": ".zst .lz4 .lzma .lz .z .br .rar .7z .cab .iso .whl",
}
_HINT_OF = {suffix: hint for hint, suffixes in _HINTS.items() for suffix in suffixes.split()}


@dataclass(frozen=True)
class ShelfFile:
    """A file of the shelf: a book, or an archive or table of books."""

    name: str
    """Its path in the shelf without suffixes, the name of the book; with them where that is not unique."""
    file: str
    """Its path in the shelf."""
    path: Path
    """Where it lies."""


@dataclass(frozen=True)
class Refused:
    """A file, a member of an archive or a row that was not read."""

    file: str
    """Its path in the shelf; members of archives follow that of the archive."""
    reason: str
    """What was found, and what could be done: `the PDF is encrypted; save a copy without its password`."""


@dataclass(frozen=True)
class ShelfName:
    """A file's path in the shelf, taken apart."""

    stem: str
    """The path without its suffixes: the name of the book."""
    format: str
    """Suffix of what is inside, in lower case: of a document, a table or an archive; else whatever it is."""
    compression: str
    """`.gz`, `.xz`, `.bz2`, or empty."""

    @property
    def is_readable(self) -> bool:
        """Whether books can be read from such a file."""
        return self.is_document or self.format in TABLES or self.is_archive

    @property
    def is_document(self) -> bool:
        """Whether the file is one book."""
        return self.format in FORMATS

    @property
    def is_archive(self) -> bool:
        """Whether the file holds others."""
        return self.format == ".tar" or (self.format in ARCHIVES and not self.compression)

    @property
    def problem(self) -> str:
        """Why a file that can't be read is none, and what its owner could do."""
        if self.compression and not self.format:
            return f"what is compressed has no suffix; call it NAME.txt{self.compression} if it is plain text"
        if not self.format:
            return "not a book format: it has no suffix; call it NAME.txt if it is plain text"
        if self.format in ARCHIVES:
            return "an archive inside an archive; unpack it"
        hint = _HINT_OF.get(self.format)
        return f"not a book format: {self.format}" + (f"; {hint}" if hint else "")


class DistinctNames:
    """Gives each of several books a name of its own: `a`, `a (2)`, `a (3)`."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._last)

    def add(self, name: str) -> str:
        """Return the name, or one like it if it was given before."""
        number = self._last.get(name, 0) + 1
        distinct = name if number == 1 else f"{name} ({number})"
        while distinct in self._last:
            number += 1
            distinct = f"{name} ({number})"
        self._last |= {distinct: 1, name: number}
        return distinct


def split_name(file: str) -> ShelfName:
    """Take a path in the shelf apart."""
    stem, suffix = _split_suffix(file)
    if suffix in _SHORT:
        return ShelfName(stem, ".tar", _SHORT[suffix])
    if suffix in COMPRESSIONS:
        inner, inner_suffix = _split_suffix(stem)
        return ShelfName(inner, inner_suffix, suffix)
    if suffix == ".zip" and stem.lower().endswith(".fb2"):
        return ShelfName(stem[: -len(".fb2")], ".fb2.zip", "")
    return ShelfName(stem, suffix, "")


def printable(path: str) -> str:
    """Return a path that any file can hold; bytes of a name that are no UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def distinct_names(files: Sequence[str]) -> list[str]:
    """Return the name of each file of a shelf: its path without suffixes, unless that would name another's book too.

    `a.txt` beside `a.epub` keeps its suffix, and so does `a.zip` beside a folder `a`, whose books are called alike.
    """
    stems = Counter(split_name(file).stem for file in files)
    folders = {str(folder) for file in files for folder in PurePosixPath(file).parents}
    distinct, names = DistinctNames(), []
    for file in files:
        own = split_name(file)
        is_shared = stems[own.stem] > 1 or (own.stem in folders and not own.is_document)
        names.append(distinct.add(file if is_shared else own.stem))
    return names


def scan_folder(folder: Path) -> tuple[list[str], list[Refused]]:
    """Return the paths of all books in a folder and below it, in name order, and what else lies there.

    Hidden files and folders are passed over. Linked folders are read once, after those that are really there, so
    that a loop of links ends and no file gets two names.

    Args:
        folder: the shelf.

    Returns:
        Paths relative to the folder, with suffixes; and the files that are no books, with reasons.
    """
    books: list[str] = []
    refused: list[Refused] = []
    seen: set[tuple[int, int]] = set()
    real, linked = deque([""]), deque[str]()
    while real or linked:
        place = (real or linked).popleft()
        try:
            status = (folder / place).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder / place), key=lambda entry: entry.name)
        except OSError as error:
            refused.append(Refused(place, f"the folder can't be read: {error.strerror}"))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{place}/{entry.name}" if place else entry.name
            if _is_folder(entry):
                (linked if entry.is_symlink() else real).append(path)
            elif problem := _problem(entry):
                refused.append(Refused(path, problem))
            else:
                books.append(path)
    return sorted(books), sorted(refused, key=lambda item: item.file)


def _split_suffix(file: str) -> tuple[str, str]:
    """Return a path without its last suffix, and the suffix in lower case; a leading dot begins no suffix."""
    stem, dot, last = file.rpartition(".")
    if not dot or "/" in last or not stem or stem.endswith("/"):
        return file, ""
    return stem, f".{last.lower()}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _problem(entry: os.DirEntry[str]) -> str:
    """Return why what lies in a folder can't be read as a book, or nothing."""
    try:
        if not entry.is_file():
            return "a link to what is not there" if entry.is_symlink() else "neither a file nor a folder"
    except OSError as error:
        return f"a link that can't be followed: {error.strerror}"
    name = split_name(entry.name)
    if name.is_readable and not os.access(entry.path, os.R_OK):
        return "no permission to read it"
    return "" if name.is_readable else name.problem
