from pathlib import Path

import pandas as pd

from nextchapter.store.tables import write_csv

TABLE = pd.DataFrame({"run": ["a,b", "c"], "bits": [1 / 3, float("nan")]}, index=[7, 8])


def test_a_table_is_written_without_its_index_and_with_one_kind_of_line_end(tmp_path: Path) -> None:
    write_csv(tmp_path / "deep" / "t.csv", TABLE)
    assert (tmp_path / "deep" / "t.csv").read_bytes() == b'run,bits\n"a,b",0.3333333333333333\nc,\n'


def test_numbers_may_be_cut(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", TABLE, float_format="%.2g")
    assert (tmp_path / "t.csv").read_bytes() == b'run,bits\n"a,b",0.33\nc,\n'
