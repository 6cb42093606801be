import os
from pathlib import Path

import pytest

from nextchapter.shelf import DistinctNames, ShelfName, scan_folder, split_name


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("emma.txt", ("emma", ".txt", "")),
        ("Austen/Emma.TXT", ("Austen/Emma", ".txt", "")),
        ("Dr. Jekyll and Mr. Hyde.epub", ("Dr. Jekyll and Mr. Hyde", ".epub", "")),
        ("vol.1.txt.gz", ("vol.1", ".txt", ".gz")),
        ("rows.jsonl.XZ", ("rows", ".jsonl", ".xz")),
        ("old/shelf.tar.bz2", ("old/shelf", ".tar", ".bz2")),
        ("shelf.tgz", ("shelf", ".tar", ".gz")),
        ("shelf.zip", ("shelf", ".zip", "")),
        ("idiot.FB2.zip", ("idiot", ".fb2.zip", "")),
        ("a.b/readme", ("a.b/readme", "", "")),
    ],
)
def test_a_name_is_taken_apart(file: str, expected: tuple[str, str, str]) -> None:
    assert split_name(file) == ShelfName(*expected)
    assert split_name(file).is_readable == (file != "a.b/readme")


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("a.mobi", "not a book format: .mobi; convert it to EPUB"),
        ("a.xyz", "not a book format: .xyz"),
        ("a", "not a book format: it has no suffix; call it NAME.txt if it is plain text"),
        ("a.gz", "what is compressed has no suffix; call it NAME.txt.gz if it is plain text"),
        ("a.zip.gz", "an archive inside an archive; unpack it"),
        ("a.doc.gz", "not a book format: .doc; save it as .docx or .odt"),
    ],
)
def test_a_name_that_is_no_book_says_why(file: str, problem: str) -> None:
    name = split_name(file)
    assert (name.is_readable, name.problem) == (False, problem)


def test_names_stay_distinct_even_where_a_name_looks_like_a_second_one() -> None:
    names = DistinctNames()
    given = [names.add(name) for name in ("a", "a (2)", "a", "a", "b", "a (2)")]
    assert given == ["a", "a (2)", "a (3)", "a (4)", "b", "a (2) (2)"]


def test_all_books_of_a_folder_are_found_in_name_order_and_the_rest_is_named(tmp_path: Path) -> None:
    wild = ['it\'s "quoted".txt', "two\nlines.txt", "Преступление.txt", "红楼梦.epub", "{brace}.txt", "a b.txt.gz"]
    for name in [*wild, "sub/deep/z.jsonl", ".hidden.txt", ".git/a.txt", "cover.jpg", "README"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin-\xe9.txt")).write_text("x")
    books, refused = scan_folder(tmp_path)
    assert books == sorted([*wild, "sub/deep/z.jsonl", "latin-\udce9.txt"])
    assert [item.file for item in refused] == ["README", "cover.jpg"]
    assert all(item.reason for item in refused)


def test_links_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    shelf = tmp_path / "shelf"
    for path in (outside / "far.txt", shelf / "z" / "near.txt"):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    (shelf / "a").symlink_to(shelf / "z")  # leads to what is there anyway
    (shelf / "b").symlink_to(outside)
    (outside / "back").symlink_to(shelf)
    (shelf / "z" / "self").symlink_to(shelf / "z" / "self")
    (shelf / "broken.txt").symlink_to(shelf / "nothing.txt")
    (shelf / "book.txt").symlink_to(outside / "far.txt")
    os.mkfifo(shelf / "pipe.txt")
    books, refused = scan_folder(shelf)
    assert books == ["b/far.txt", "book.txt", "z/near.txt"]
    assert {item.file: item.reason for item in refused} == {
        "broken.txt": "a link to what is not there",
        "pipe.txt": "neither a file nor a folder",
        "z/self": "a link that can't be followed: Too many levels of symbolic links",
    }


def test_a_book_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("closed.txt", "open.txt"):
        (tmp_path / name).write_text("x")
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith("closed.txt") and access(path, mode))
    books, refused = scan_folder(tmp_path)
    assert books == ["open.txt"]
    assert [(item.file, item.reason) for item in refused] == [("closed.txt", "no permission to read it")]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("closed/a.txt", "open/b.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x")
    scandir = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr("nextchapter.shelf.os.scandir", refuse)
    books, refused = scan_folder(tmp_path)
    assert books == ["open/b.txt"]
    assert [(item.file, item.reason) for item in refused] == [("closed", "the folder can't be read: Permission denied")]
