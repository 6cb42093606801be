"""Files made to do harm, and broken ones: the others are read, each bad one is named, nothing else is touched."""

import bz2
import gzip
import io
import lzma
import os
import socket
import struct
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nextchapter.corpus import containers
from nextchapter.corpus.containers import open_shelf_file
from nextchapter.corpus.document import Limits, RawBook, Record
from nextchapter.shelf import Refused, scan_folder

TEXT = b"It was a dark and stormy night.\n" * 40
LIMITS = Limits(book_bytes=1_000_000)


def read(path: Path, limits: Limits = LIMITS) -> list[RawBook | Record | Refused]:
    return list(open_shelf_file(path, path.name, limits))


def reasons(items: list[RawBook | Record | Refused]) -> dict[str, str]:
    return {item.file: item.reason for item in items if isinstance(item, Refused)}


def names(items: list[RawBook | Record | Refused]) -> list[str]:
    return [item.name for item in items if isinstance(item, RawBook)]


@contextmanager
def peak_below(megabytes: float) -> Iterator[None]:
    """Check that Python takes no more memory inside the block."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 1e6
    finally:
        tracemalloc.stop()


def make_tar(path: Path, entries: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for entry, data in entries:
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def entry_of(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_bomb_stops_at_the_limit(suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / f"bomb.txt{suffix}").write_bytes(pack(bytes(30_000_000)))
    with peak_below(16):
        told = reasons(read(tmp_path / f"bomb.txt{suffix}"))
    assert told[f"bomb.txt{suffix}"].startswith("unpacked it has more than 1 MB; ")


def test_an_xz_file_that_asks_for_too_much_memory_is_refused(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 << 20}]
    packed = bytearray(lzma.compress(TEXT, filters=filters))
    (tmp_path / "a.txt.xz").write_bytes(packed)
    assert reasons(read(tmp_path / "a.txt.xz")) == {"a.txt.xz": "it is damaged: Memory usage limit exceeded"}


def test_a_zip_bomb_stops_where_its_members_together_grow_too_large(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", TEXT)
        for number in range(50):
            archive.writestr(f"{number}.txt", bytes(900_000))
        archive.writestr("large.txt", bytes(30_000_000))
    found = open_shelf_file(tmp_path / "bomb.zip", "bomb.zip", LIMITS)
    with peak_below(8):
        items = [item if isinstance(item, Refused) else item.name for item in found]
    assert items[:3] == ["bomb/first", "bomb/0", "bomb/1"]
    assert isinstance(items[-1], Refused)
    assert "a bomb?" in items[-1].reason
    assert len(items) < 12


def test_a_zip_member_that_lies_about_its_size_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(3_000_000))
        archive.writestr("b.txt", TEXT)
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 3_000_000), struct.pack("<I", 3_000)))
    with peak_below(8):
        items = read(path)
    assert list(reasons(items)) == ["lie.zip/a.txt"]
    assert names(items) == ["lie/b"]


def test_a_zip_file_whose_members_overlap_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "overlap.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("aa.txt", bytes(900_000))
        archive.writestr("bb.txt", TEXT)
        archive.filelist[1].header_offset = 0
    assert reasons(read(path)) == {"overlap.zip": "its members overlap, as those of a bomb do"}


def test_a_zip_directory_that_would_fill_the_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.zip"
    size = 400_000_000
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, size, 0, 0))
    with peak_below(4):
        assert reasons(read(path)) == {"huge.zip": "it is damaged: a directory of 400 MB"}


def test_an_archive_of_very_many_files_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "MOST_BOOKS", 3)
    path = make_tar(tmp_path / "many.tar", [(entry_of(f"{number}.txt"), TEXT) for number in range(5)])
    items = read(path)
    assert names(items) == ["many/0", "many/1", "many/2"]
    assert reasons(items) == {"many.tar": "an archive may hold 3 files; those after them are not read"}


def test_a_tar_header_of_any_size_is_not_read_into_memory(tmp_path: Path) -> None:
    header = entry_of("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    header.size = 300_000_000
    with (tmp_path / "a.tar").open("wb") as file:
        file.write(header.tobuf(tarfile.GNU_FORMAT))
        file.truncate(300_002_048)
    with peak_below(4):
        assert reasons(read(tmp_path / "a.tar")) == {"a.tar": "it is damaged: a header of 300 MB"}


def test_tar_headers_that_announce_each_other_without_end_are_refused(tmp_path: Path) -> None:
    header = entry_of("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    header.size = 8
    block = header.tobuf(tarfile.GNU_FORMAT) + b"name.txt".ljust(512, b"\0")
    (tmp_path / "a.tar").write_bytes(block * 3000)
    assert reasons(read(tmp_path / "a.tar"))["a.tar"].startswith("it is damaged: maximum recursion depth")


OUTSIDE = ["../../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:\\evil.txt"]


@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_nothing_is_written_outside_whatever_names_an_archive_has(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "shelf" / "deep" / f"a.{suffix}"
    path.parent.mkdir(parents=True)
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in [*OUTSIDE, "good.txt"]:
                archive.writestr(name, TEXT)
    else:
        make_tar(path, [(entry_of(name), TEXT) for name in [*OUTSIDE, "good.txt"]])
    items = read(path)
    assert names(items) == ["a/good"]
    assert list(reasons(items).values()) == ["its name leads out of the archive"] * len(OUTSIDE)
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == [path]


def test_links_and_devices_in_a_tar_are_named_and_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    entries = [
        (entry_of("soft.txt", tarfile.SYMTYPE, str(secret)), b""),
        (entry_of("hard.txt", tarfile.LNKTYPE, "../secret.txt"), b""),
        (entry_of("device.txt", tarfile.CHRTYPE), b""),
        (entry_of("pipe.txt", tarfile.FIFOTYPE), b""),
        (entry_of("folder.txt", tarfile.DIRTYPE), b""),
        (entry_of("good.txt"), TEXT),
    ]
    items = read(make_tar(tmp_path / "a.tar", entries))
    assert names(items) == ["a/good"]
    device = "a device or a pipe, not a file"
    assert list(reasons(items).values()) == ["a link", "a link", device, device]


def test_links_encrypted_members_and_rare_methods_in_a_zip_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("secret.txt", TEXT)
        archive.writestr("rare.txt", TEXT, zipfile.ZIP_BZIP2)
        archive.writestr("good.txt", TEXT)
        archive.filelist[1].flag_bits |= 1
    assert names(read(path)) == ["a/good"]
    assert reasons(read(path)) == {
        "a.zip/link.txt": "a link",
        "a.zip/secret.txt": "encrypted; unpack it with its password",
        "a.zip/rare.txt": "packed by a method (number 12) other than deflate; unpack it",
    }


def test_a_member_without_a_name_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", TEXT)
        archive.writestr("b.txt", TEXT)
        archive.filelist[0].filename = ""
    assert names(read(tmp_path / "a.zip")) == ["a/b"]


def test_a_very_long_name_is_cut(tmp_path: Path) -> None:
    items = read(make_tar(tmp_path / "a.tar", [(entry_of("x" * 5000 + ".txt"), TEXT)]))
    assert reasons(items) == {"a.tar/" + "x" * 1000: "its name has 5,004 characters; 1,000 are allowed"}


def make_zip(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", data)
    return file.getvalue()


def make_tgz(data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = entry_of("a.txt")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


CUT = "it ends early: the file is cut off"
PACKED = [
    ("a.txt.gz", gzip.compress, CUT),
    ("a.txt.xz", lzma.compress, CUT),
    ("a.txt.bz2", bz2.compress, CUT),
    ("a.zip", make_zip, "it is damaged: File is not a zip file"),
    ("a.tar.gz", make_tgz, CUT),
]


@pytest.mark.parametrize(("name", "pack", "reason"), PACKED)
def test_a_file_that_is_cut_off_or_other_than_it_says_is_named(
    name: str, pack: Callable[[bytes], bytes], reason: str, tmp_path: Path
) -> None:
    packed = pack(os.urandom(50_000))
    (tmp_path / name).write_bytes(packed[: len(packed) // 2])
    assert reason in reasons(read(tmp_path / name)).values()
    (tmp_path / name).write_bytes(b"no archive at all, " * 100)
    assert list(reasons(read(tmp_path / name))) == [name]
    (tmp_path / name).write_bytes(b"")
    assert list(reasons(read(tmp_path / name))) == [name]


def test_a_damaged_member_of_a_zip_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("1.txt", "2.txt", "3.txt"):
            archive.writestr(name, os.urandom(5000))
        start = archive.filelist[1].header_offset + 100
    data = bytearray(path.read_bytes())
    data[start : start + 50] = bytes(50)
    path.write_bytes(data)
    items = read(path)
    assert names(items) == ["a/1", "a/3"]
    assert list(reasons(items)) == ["a.zip/2.txt"]


@pytest.mark.parametrize("name", ["line.txt", "line.jsonl", "line.csv"])
def test_half_a_gigabyte_in_one_line_takes_no_memory(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(b'{"text": "' if name.endswith("jsonl") else b"text,title\n")
        file.truncate(500_000_000)
    with peak_below(20):
        told = reasons(read(tmp_path / name))
    assert list(told) == [name]
    assert "corpus.max_book_mb" in told[name]


def test_bytes_that_are_no_text_reach_the_reader_of_texts_unchanged(tmp_path: Path) -> None:
    data = b"\0\x01\x02\xff" * 100
    (tmp_path / "a.txt").write_bytes(data)
    assert read(tmp_path / "a.txt") == [RawBook("a", "a.txt", data)]


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    for name in ("a.txt", "a.jsonl", "a.csv", "a.parquet", "a.tar"):
        (tmp_path / name).touch()
        assert list(reasons(read(tmp_path / name))) == [name]
    assert reasons(read(tmp_path / "a.txt")) == {"a.txt": "it is empty"}


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "broken.txt").symlink_to(tmp_path / "nothing")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket.txt"))
    (tmp_path / "device.txt").symlink_to("/dev/zero")
    told = {path.name: reasons(read(path))[path.name] for path in tmp_path.iterdir()}
    device = "a device or a pipe, not a file"
    assert told == {
        "pipe.txt": device, "socket.txt": device, "device.txt": device, "folder.txt": "a folder",
        "broken.txt": "No such file or directory",
    }  # fmt: skip


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.txt").write_bytes(TEXT)
    monkeypatch.setattr(Path, "open", refuse)
    assert reasons(read(tmp_path / "a.txt")) == {"a.txt": "Permission denied"}


def test_books_of_wild_names_are_read(tmp_path: Path) -> None:
    wild = ["two\nlines", 'it\'s "quoted"', "{brace}", "红楼梦", "a\\b", "$(touch evil)", "-rf", " blank ", "\udce9"]
    for name in wild:
        (tmp_path / f"{name}.txt").write_bytes(TEXT)
    books, refused = scan_folder(tmp_path)
    found = [item.name for book in books for item in open_shelf_file(tmp_path / book, book, LIMITS)]
    assert (sorted(found), refused) == (sorted(wild), [])


CHILD = """
import resource, sys
from pathlib import Path
from nextchapter.corpus.containers import open_shelf_file
from nextchapter.corpus.document import Limits, Record
from nextchapter.shelf import Refused
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
path = Path(sys.argv[1])
rows = sum(isinstance(item, Record) for item in open_shelf_file(path, path.name, Limits()))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_a_large_table_streams_through_little_memory(kind: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [f"{number} " + TEXT.decode().replace("\n", " ") * 15 for number in range(2500)]
    path = tmp_path / f"rows.{kind}"
    if kind == "parquet":  # in one row group of 50 MB
        pq.write_table(pa.table({"text": texts}), path, row_group_size=10**6, use_dictionary=False, compression="none")
    elif kind == "jsonl":
        path.write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))
    else:
        path.write_text("text,n\n" + "".join(f'"{text}",1\n' for text in texts))
    assert path.stat().st_size > 45_000_000
    done = subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True)
    rows, grown_kb = map(int, done.stdout.split())
    assert rows == 2500
    assert grown_kb < 40_000
