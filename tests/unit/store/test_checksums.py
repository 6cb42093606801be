import subprocess
from pathlib import Path

import pytest

from nextchapter.store.checksums import (
    DamagedFileError,
    checksum_path,
    find_damage,
    find_damaged_files,
    forget_checksum,
    record_checksum,
    share_checksum,
    verify_checksum,
)
from nextchapter.store.files import atomic_path


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Return a file with a checksum, whose name shells would take apart."""
    path = tmp_path / "a book's {1}; rm" / "train.bin"
    path.parent.mkdir()
    path.write_bytes(bytes(range(200)))
    record_checksum(path)
    return path


def test_a_file_as_it_was_written_passes(written: Path) -> None:
    verify_checksum(written)
    assert find_damage(written) is None


def test_sha256sum_understands_a_checksum(written: Path) -> None:
    check = ["sha256sum", "--check", "--strict", ".checksums/train.bin"]
    assert subprocess.run(check, cwd=written.parent, check=False, capture_output=True).returncode == 0
    written.write_bytes(bytes(200))
    assert subprocess.run(check, cwd=written.parent, check=False, capture_output=True).returncode == 1


@pytest.mark.parametrize("place", [0, 100, 199])
@pytest.mark.parametrize("bit", [0, 7])
def test_one_flipped_bit_is_found(written: Path, place: int, bit: int) -> None:
    content = bytearray(written.read_bytes())
    content[place] ^= 1 << bit
    written.write_bytes(content)
    assert "content has changed" in str(find_damage(written))


def test_the_message_names_file_damage_and_remedy(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:150])
    with pytest.raises(DamagedFileError) as raised:
        verify_checksum(written)
    message = str(raised.value)
    assert message.startswith(f"{written} is damaged: it has 150 bytes, and had 200 when it was written. `make run`")
    command = message.split("`")[3]
    subprocess.run(["sh", "-c", command], check=True)  # the remedy, taken at its word
    assert not written.exists()


def test_a_damaged_checksum_is_told_as_such(written: Path) -> None:
    whole = checksum_path(written).read_bytes()
    other = whole.replace(written.name.encode(), b"another.txt")
    for content in (b"", b"# 200 bytes\n", b"\xff" * 60, b"a b c d e", whole[:-1], whole[:-3], other):
        checksum_path(written).write_bytes(content)
        assert "can't be read" in str(find_damage(written))


def test_a_file_without_a_checksum_is_read_as_it_is(written: Path) -> None:
    forget_checksum(written)
    written.write_bytes(b"other")
    verify_checksum(written)
    verify_checksum(written.with_name("absent"))


def test_checksums_move_with_their_folder(written: Path, tmp_path: Path) -> None:
    moved = written.parent.rename(tmp_path / "elsewhere") / written.name
    assert find_damage(moved) is None
    moved.write_bytes(b"")
    assert find_damage(moved) is not None


def test_all_damaged_files_below_a_folder_are_found(tmp_path: Path) -> None:
    for name in ("whole", "runs/a/gone", "runs/a/cut", "runs/b/whole"):
        with atomic_path(tmp_path / name) as temporary:
            temporary.write_text(name)
        record_checksum(tmp_path / name)
    (tmp_path / "runs/a/gone").unlink()
    (tmp_path / "runs/a/cut").write_text("ru")
    assert dict(find_damaged_files(tmp_path)) == {
        tmp_path / "runs/a/cut": "it has 2 bytes, and had 10 when it was written",
        tmp_path / "runs/a/gone": "it is missing",
    }


@pytest.fixture
def studies(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Return a file in a cache, and the links to it in the study that made it and in another one."""
    cached, first, second = (tmp_path / name / "t.bin" for name in ("cache", "a", "b"))
    for path in (cached, first, second):
        path.parent.mkdir()
    first.write_bytes(b"abc")
    record_checksum(first)
    first.rename(cached)  # as Snakemake does
    for path in (first, second):
        path.symlink_to(cached)
    return cached, first, second


def test_a_checksum_in_a_shared_cache_serves_other_studies(studies: tuple[Path, Path, Path]) -> None:
    cached, first, second = studies
    assert find_damage(second) is None
    share_checksum(second)  # knows nothing that it could share
    assert not checksum_path(cached).exists()
    share_checksum(first)
    cached.write_bytes(b"abd")
    assert find_damage(first) is not None
    assert find_damage(second) is not None


def test_a_shared_file_that_another_study_made_again_is_not_damaged(studies: tuple[Path, Path, Path]) -> None:
    cached, first, _ = studies
    share_checksum(first)
    cached.write_bytes(b"abd")
    record_checksum(cached)  # as the other study, on another kind of processor
    assert find_damage(first) is None


def test_a_damaged_shared_file_is_found_and_removed_with_its_checksum(studies: tuple[Path, Path, Path]) -> None:
    cached, first, second = studies
    share_checksum(first)
    cached.write_bytes(b"abd")
    assert [path for path, _ in find_damaged_files(second.parent)] == [second]
    with pytest.raises(DamagedFileError) as raised:
        verify_checksum(second)
    subprocess.run(["sh", "-c", str(raised.value).split("`")[3]], check=True)
    assert not cached.exists()
    assert not checksum_path(cached).exists()
    assert not second.is_symlink()


def test_a_link_into_an_emptied_cache_is_missing(studies: tuple[Path, Path, Path]) -> None:
    cached, _, second = studies
    cached.unlink()
    assert list(find_damaged_files(second.parent)) == [(second, "it is missing")]
