"""Tables as CSV."""

from pathlib import Path
from typing import TYPE_CHECKING

from nextchapter.store.files import atomic_path

if TYPE_CHECKING:
    import pandas as pd


def write_csv(path: Path | str, table: "pd.DataFrame", float_format: str | None = None) -> None:
    """Write the rows of a table, atomically; its index is left out.

    Args:
        path: where to.
        table: the table.
        float_format: of its numbers, such as `%.6g`; None writes all their digits.
    """
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format=float_format)
