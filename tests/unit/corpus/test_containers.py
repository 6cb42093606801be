import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from nextchapter.corpus.containers import open_shelf_file
from nextchapter.corpus.document import Limits, RawBook, Record
from nextchapter.shelf import Refused

TEXT = b"It was a dark and stormy night.\n" * 40
LIMITS = Limits(book_bytes=100_000)
PACK: Mapping[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def read(path: Path, limits: Limits = LIMITS) -> list[RawBook | Record | Refused]:
    return list(open_shelf_file(path, path.name, limits))


def make_zip(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def make_tar(path: Path, members: Mapping[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def test_a_plain_file_is_a_book(tmp_path: Path) -> None:
    (tmp_path / "emma.txt").write_bytes(TEXT)
    assert list(open_shelf_file(tmp_path / "emma.txt", "old/emma.txt", LIMITS)) == [
        RawBook("old/emma", "old/emma.txt", TEXT)
    ]


@pytest.mark.parametrize("suffix", PACK)
def test_a_compressed_file_is_a_book_also_in_several_streams(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"emma.txt{suffix}"
    path.write_bytes(PACK[suffix](TEXT) + PACK[suffix](b"The end.") + (b"\0" * 8 if suffix == ".xz" else b""))
    assert read(path) == [RawBook("emma", path.name, TEXT + b"The end.")]


def test_a_large_compressed_file_comes_back_whole(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4000 + TEXT * 500
    for suffix, pack in PACK.items():
        path = tmp_path / f"emma.txt{suffix}"
        path.write_bytes(pack(data))
        assert read(path, Limits(10_000_000)) == [RawBook("emma", path.name, data)]


def test_a_file_may_have_the_limit_and_no_byte_more(tmp_path: Path) -> None:
    for size in (99_999, 100_000, 100_001):
        (tmp_path / f"{size}.txt").write_bytes(b"a" * size)
        (tmp_path / f"{size}.txt.gz").write_bytes(gzip.compress(b"a" * size))
    kinds = [
        type(read(tmp_path / f"{size}{end}")[0]) for size in (99_999, 100_000, 100_001) for end in (".txt", ".txt.gz")
    ]
    assert kinds == [RawBook, RawBook, RawBook, RawBook, Refused, Refused]
    assert read(tmp_path / "100001.txt") == [
        Refused(
            "100001.txt",
            "the file has 0.1 MB; a book may have 0.1: split it, or raise the limit (corpus.max_book_mb)",
        )
    ]


def test_a_document_may_be_larger_than_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.epub").write_bytes(b"a" * 400_000)
    (tmp_path / "b.epub").write_bytes(b"a" * 400_001)
    assert isinstance(read(tmp_path / "a.epub")[0], RawBook)
    assert "a .epub book may have 0.4" in read(tmp_path / "b.epub")[0].reason


MEMBERS = {
    "emma.txt": b"1",
    "./sub/persuasion.epub": b"2",
    "win\\dows.html": b"3",
    "EMMA.md": b"4",
    "emma.md": b"5",
    "packed.txt.gz": gzip.compress(b"6"),
    "Преступление и наказание.fb2": b"7",
    "__MACOSX/emma.txt": b"no",
    ".DS_Store": b"no",
    "cover.jpg": b"no",
    "inner.tar.gz": b"no",
    "rows.csv": b"text,title\nAn ordinary row,Book one\n",
}
FOUND = [
    ("shelf/emma", "emma.txt", b"1"),
    ("shelf/sub/persuasion", "sub/persuasion.epub", b"2"),
    ("shelf/win/dows", "win/dows.html", b"3"),
    ("shelf/EMMA", "EMMA.md", b"4"),
    ("shelf/emma (2)", "emma.md", b"5"),
    ("shelf/packed", "packed.txt.gz", b"6"),
    ("shelf/Преступление и наказание", "Преступление и наказание.fb2", b"7"),
]


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tgz", "tar.xz", "tar.bz2"])
def test_the_books_in_an_archive_come_one_by_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"shelf.{suffix}"
    if suffix == "zip":
        make_zip(path, MEMBERS)
    else:
        make_tar(path, MEMBERS, {"tar": "w", "tgz": "w:gz"}.get(suffix, f"w:{suffix.removeprefix('tar.')}"))
    items = read(path)
    assert [item for item in items if isinstance(item, RawBook)] == [
        RawBook(name, f"{path.name}/{file}", data) for name, file, data in FOUND
    ]
    assert [item for item in items if isinstance(item, Refused)] == [
        Refused(f"{path.name}/cover.jpg", "not a book format: .jpg; a picture has no text; recognise it first (OCR)"),
        Refused(f"{path.name}/inner.tar.gz", "an archive inside an archive; unpack it"),
    ]
    assert [item for item in items if isinstance(item, Record)] == [
        Record("shelf/rows/Book one", f"{path.name}/rows.csv", "Book one", "", None, "An ordinary row")
    ]


def test_a_zipped_fb2_is_a_book_of_the_archives_name(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "idiot.fb2.zip", {"dostoevsky_17.fb2": TEXT})
    assert read(path) == [RawBook("idiot", "idiot.fb2.zip/dostoevsky_17.fb2", TEXT)]


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_an_archive_without_a_book_says_so(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make(tmp_path / ("a.zip" if make is make_zip else "a.tar"), {".hidden": b"x"})
    assert read(path) == [Refused(path.name, "there is no book in it")]


def test_reading_stops_where_the_reader_stops(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", {"1.txt": b"1", "2.txt": b"2"})
    books = open_shelf_file(path, "a.zip", LIMITS)
    assert next(books) == RawBook("a/1", "a.zip/1.txt", b"1")
    books.close()
