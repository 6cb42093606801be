"""Whether the default store, a SQLite file, can still be read. Uses no MLflow, so that each `make run` can ask."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote


def find_store_damage(path: Path) -> str | None:
    """Return what is wrong with a SQLite store; None if nothing is, or it is absent, or somebody is writing to it.

    SQLite keeps no checksums: broken pages and indices are found, a number that changed in its place is not.
    """
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as store:
            (found,) = store.execute("PRAGMA integrity_check(1)").fetchone()
            store.execute("SELECT 1 FROM experiments LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        return None if "locked" in str(error) else str(error)
    return None if found == "ok" else str(found).replace("\n", " ")
