from pathlib import Path

import pandas as pd
import pytest

from nextchapter.report.results import Results
from nextchapter.store.checksums import DamagedFileError, record_checksum
from nextchapter.store.files import write_json


def test_a_damaged_file_comes_into_no_report(tmp_path: Path) -> None:
    quality = tmp_path / "corpus/quality.json"
    write_json(quality, {"totals": {"books": 1}})
    record_checksum(quality)
    assert Results(tmp_path, {}).quality == {"totals": {"books": 1}}
    quality.write_text(quality.read_text().replace("1", "2"))
    with pytest.raises(DamagedFileError, match=r"quality\.json is damaged"):
        _ = Results(tmp_path, {}).quality


def test_a_name_that_looks_like_a_number_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    table = pd.DataFrame({"run": ["1.010.s1"], "configuration": ["1.010"], "valid_bits_per_character": [2.5]})
    table.to_csv(tmp_path / "searches/1.csv", index=False)
    found = Results(tmp_path, {}).search("1")
    assert found["configuration"].tolist() == ["1.010"]
    assert found["valid_bits_per_character"].tolist() == [2.5]
