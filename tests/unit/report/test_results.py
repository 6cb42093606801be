from pathlib import Path

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
