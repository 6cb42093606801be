import errno
import os
from pathlib import Path

import pytest

from nextchapter.store import files


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    files.write_text(path, "old")

    def write_half() -> None:
        with files.atomic_path(path) as temporary:
            temporary.write_text("ha")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        write_half()
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.txt"]


def test_text_and_json_come_back_byte_for_byte(tmp_path: Path) -> None:
    text = "a\r\nb\rc\n\N{GRINNING FACE}"
    files.write_text(tmp_path / "t", text)
    assert (tmp_path / "t").read_bytes() == text.encode()
    files.write_json(tmp_path / "j", {"b": [1, None], "a": "é"})
    assert files.read_json(tmp_path / "j") == {"a": "é", "b": [1, None]}
    assert (tmp_path / "j").read_text().startswith('{\n  "a": "é"')


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        files.write_text(tmp_path / "t", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "t").stat().st_mode & 0o777 == 0o644


def test_checksum(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert files.sha256_of(tmp_path / "t") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_what_a_killed_process_left_of_a_file_is_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = ["a.bin", ".a.bin.part", ".a.bin.x.12345678.part", ".b.bin.12345678.part", ".a.bin.12345678.part.bin"]
    for name in [*kept, ".a.bin.12345678.part", ".a.bin.abc_efgh.part"]:
        (tmp_path / name).touch()
    files.remove_parts(tmp_path / "a.bin")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(kept)


def test_the_part_of_an_atomic_write_is_one_that_would_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "a[1]*.bin"
    with files.atomic_path(path) as temporary:
        files.remove_parts(path)
        assert not temporary.exists()
        temporary.write_text("x")
