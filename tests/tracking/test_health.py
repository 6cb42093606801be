import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nextchapter.tracking.health import find_store_damage


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store of some pages, with a name that an address would take apart."""
    path = tmp_path / "a store? #1.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE experiments (name TEXT PRIMARY KEY)")
        connection.executemany("INSERT INTO experiments VALUES (?)", [(f"{number:0200}",) for number in range(200)])
        connection.commit()
    return path


def test_a_store_that_is_whole_or_absent_or_in_use_is_not_damaged(store: Path) -> None:
    assert find_store_damage(store) is None
    assert find_store_damage(store.with_name("absent.db")) is None
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert find_store_damage(store) is None


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6])
def test_a_store_that_was_cut_is_damaged(store: Path, kept: float) -> None:
    content = store.read_bytes()
    store.write_bytes(content[: int(kept * len(content))])
    assert find_store_damage(store)


@pytest.mark.parametrize("page", [0, 3, 10])
def test_a_page_of_zeros_is_found(store: Path, page: int) -> None:
    content = bytearray(store.read_bytes())
    content[page * 4096 : (page + 1) * 4096] = bytes(4096)
    store.write_bytes(content)
    assert find_store_damage(store)
