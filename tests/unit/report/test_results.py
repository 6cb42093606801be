from pathlib import Path

import pandas as pd

from nextchapter.report.results import Results


def test_a_name_that_looks_like_a_number_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    table = pd.DataFrame({"run": ["1.010.s1"], "configuration": ["1.010"], "valid_bits_per_character": [2.5]})
    table.to_csv(tmp_path / "searches/1.csv", index=False)
    found = Results(tmp_path, {}).search("1")
    assert found["configuration"].tolist() == ["1.010"]
    assert found["valid_bits_per_character"].tolist() == [2.5]
