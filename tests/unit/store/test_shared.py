import hashlib
import os
from pathlib import Path

import pytest

from nextchapter.spec.base import SpecError
from nextchapter.store import shared

SHA256 = hashlib.sha256(b"text").hexdigest()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the shared folder; its users are those of a group."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o2770)
    monkeypatch.setenv(shared.VARIABLE, str(folder))
    return folder


def test_what_one_has_given_another_takes_once(folder: Path, tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine/book", tmp_path / "theirs/other name"
    shared.take_file(SHA256, theirs)
    assert not theirs.exists()
    mine.parent.mkdir()
    mine.write_bytes(b"text")
    shared.give_file(mine, SHA256)
    shared.take_file(SHA256, theirs)
    assert theirs.read_bytes() == b"text"
    assert not theirs.samefile(mine)
    theirs.write_bytes(b"what lies there stays")
    shared.take_file(SHA256, theirs)
    assert theirs.read_bytes() == b"what lies there stays"


def test_a_damaged_file_is_not_taken_and_is_replaced(folder: Path, tmp_path: Path) -> None:
    (folder / "downloads").mkdir()
    (folder / "downloads" / SHA256).write_bytes(b"test")
    shared.take_file(SHA256, tmp_path / "taken")
    assert not (tmp_path / "taken").exists()
    (tmp_path / "fetched").write_bytes(b"text")
    shared.give_file(tmp_path / "fetched", SHA256)
    assert (folder / "downloads" / SHA256).read_bytes() == b"text"


def test_the_folder_says_who_may_enter_and_all_who_may_can_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "fetched").write_bytes(b"text")
    before = os.umask(0o077)
    try:
        shared.give_file(tmp_path / "fetched", SHA256)
        results = shared.results_folder()
    finally:
        os.umask(before)
    assert results is not None
    assert [path.stat().st_mode & 0o7777 for path in (folder / "downloads", results)] == [0o2770, 0o2770]
    assert (folder / "downloads" / SHA256).stat().st_mode & 0o777 == 0o644


def test_results_of_other_versions_lie_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shared.results_folder()
    assert first == shared.results_folder()
    monkeypatch.setattr("importlib.metadata.version", lambda package: "0.0.1")
    other = shared.results_folder()
    assert other != first
    monkeypatch.setattr("platform.python_version_tuple", lambda: ("4", "0", "0"))
    assert shared.results_folder() not in (first, other)


def test_without_the_variable_nothing_is_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(shared.VARIABLE, raising=False)
    (tmp_path / "fetched").write_bytes(b"text")
    shared.give_file(tmp_path / "fetched", SHA256)
    shared.take_file(SHA256, tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["fetched"]
    assert shared.results_folder() is None


def test_a_folder_that_is_not_there_is_named_and_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(shared.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(SpecError, match=r"NEXTCHAPTER_CACHE: found '.*nowhere'; it must be a folder .* chmod 2770"):
        shared.results_folder()
