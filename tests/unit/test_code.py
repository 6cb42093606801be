import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from nextchapter import code


def _forget() -> None:
    for cached in (code.imported_modules, code._found):
        cached.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the source folder of a package of that name with a stage, a library module, a model and a spec."""
    files = {
        "__init__.py": "",
        "stages/__init__.py": "",
        "stages/work.py": '''
            """A stage."""
            from nextchapter.spec.things import Thing

            def main():
                from nextchapter.library.tool import use
                return use(Thing)
        ''',
        "library/__init__.py": "",
        "library/tool.py": "import json\n\ndef use(x):\n    return x + 1\n",
        "library/other.py": "y = 1\n",
        "models/__init__.py": "",
        "models/lstm.py": "from nextchapter.library import other\n",
        "models/gru.py": "z = 1\n",
        "spec/__init__.py": "",
        "spec/things.py": "Thing = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    monkeypatch.setattr(code, "SOURCE", tmp_path)
    monkeypatch.setattr(code, "KEPT", tmp_path / "kept")
    _forget()
    yield tmp_path
    _forget()


def _fingerprints() -> dict[str, str]:
    _forget()
    models = ("lstm", "gru")
    return {model: code.fingerprint("nextchapter.stages.work", [f"nextchapter.models.{model}"]) for model in models}


def test_the_closure_holds_what_is_imported_inside_functions_and_of_families_only_the_named_one(package: Path) -> None:
    assert code.import_closure("nextchapter.stages.work", "nextchapter.models.lstm") == {
        "nextchapter", "nextchapter.stages", "nextchapter.stages.work", "nextchapter.library",
        "nextchapter.library.tool", "nextchapter.library.other", "nextchapter.models", "nextchapter.models.lstm",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "text", "changed"),
    [
        ("library/tool.py", "import json\n\ndef use(x):\n    return x + 2\n", {"lstm", "gru"}),
        ("library/tool.py", "# why\nimport json\n\n\ndef use(x):\n    'Say.'\n    return  x+1\n", set()),
        ("library/other.py", "y = 2\n", {"lstm"}),
        ("models/gru.py", "z = 2\n", {"gru"}),
        ("models/minlstm.py", "a = 1\n", set()),
        ("spec/things.py", "Thing = 2\n", set()),
    ],
)
def test_an_edit_changes_the_fingerprints_of_what_depends_on_it_and_no_others(
    package: Path, file: str, text: str, changed: set[str]
) -> None:
    before = _fingerprints()
    (package / file).write_text(text)
    after = _fingerprints()
    assert {model for model in before if before[model] != after[model]} == changed


def test_an_unknown_module_is_an_error(package: Path) -> None:
    with pytest.raises(ValueError, match=r"no module 'nextchapter\.stages\.wrok'"):
        code.fingerprint("nextchapter.stages.wrok")


def test_a_text_is_parsed_once_and_again_where_what_was_kept_is_damaged(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    parse = code._parse

    def counted(text: bytes, path: Path) -> code._Found:
        parsed.append(path.name)
        return parse(text, path)

    monkeypatch.setattr(code, "_parse", counted)
    first = _fingerprints()
    assert sorted(parsed) == ["__init__.py", "gru.py", "lstm.py", "other.py", "tool.py", "work.py"]  # four are empty
    parsed.clear()
    assert _fingerprints() == first
    assert not parsed
    for kept in (package / "kept").iterdir():
        kept.write_bytes(kept.read_bytes().replace(b"nextchapter.library.tool", b"nextchapter.library.fool"))
    assert _fingerprints() == first
    assert parsed == ["work.py"]
