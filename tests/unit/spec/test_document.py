import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from nextchapter.spec import document

ROOT = Path(__file__).parents[3]


def test_the_reference_of_the_keys_is_what_the_classes_say() -> None:
    assert (ROOT / document.README).read_text() == document.readme_text()


def test_the_schema_is_what_the_classes_say() -> None:
    assert (ROOT / document.SCHEMA).read_text() == document.schema_text()


@pytest.mark.parametrize(
    "path", [ROOT / "config/config.yaml", *(ROOT / "config/suites").glob("*.yaml")], ids=lambda path: path.stem
)
def test_the_configurations_fit_the_schema(path: Path) -> None:
    values = {key: value for key, value in yaml.safe_load(path.read_text()).items() if value is not None}
    jsonschema.validate(values, json.loads((ROOT / document.SCHEMA).read_text()))


def test_every_key_is_explained() -> None:
    rows = [line for line in document.readme_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    assert not [row for row in rows if row.rstrip(" |").endswith("|") or not row.split("|")[-2].strip()]
