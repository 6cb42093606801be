"""What people call things never becomes a command: of make, of the rules, of the stages."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
SHELLS = re.findall(r"^ +shell:\n((?: +\".*\"\n)+)", RULES, re.MULTILINE)
HOSTILE = [
    "a; touch evil", "$(touch evil)", "$(shell touch evil)", "`touch evil`", 'a" & touch evil & "', "it's | touch evil",
    "-rf", "--cores=9", "a\nb", "$HOME", "$$", "a # b", "%s {x} ${x}", "*", "~",
]  # fmt: skip
PRINTER = "import sys; print(sys.argv[1:])"


def test_all_rules_call_a_shell_in_the_way_that_is_checked_here() -> None:
    assert len(SHELLS) == len(re.findall(r"^\s*rule ", RULES, re.MULTILINE)) > 20
    assert not re.search(r"^\s*(run|script|notebook|wrapper|cwl):", RULES, re.MULTILINE)


def test_whatever_a_rule_puts_into_a_command_is_quoted() -> None:
    harmless = {"params.code", "threads"}  # a fingerprint in hexadecimal, and a number
    placed = {name for shell in SHELLS for name in re.findall(r"\{([^}]*)\}", shell)}
    assert {name for name in placed if not name.endswith(":q")} == harmless


@pytest.fixture
def make(tmp_path: Path) -> list[str]:
    """Return the call of make, with a Python in place of the project's that prints what it is called with."""
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PRINTER}" "$@"\n')
    python.chmod(0o755)
    for needed in ("pyproject.toml", "constraints.txt"):
        (tmp_path / needed).touch()
        os.utime(tmp_path / needed, (0, 0))
    (tmp_path / "venv/ready").touch()
    return ["make", "--no-print-directory", "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), f"VENV={tmp_path}/venv"]


@pytest.mark.parametrize("books", HOSTILE)
@pytest.mark.parametrize("given", ["argument", "environment"])
def test_a_folder_of_any_name_comes_through_make_as_it_is(
    make: list[str], books: str, given: str, tmp_path: Path
) -> None:
    call, environment = [*make, "run", "CORES=1"], dict(os.environ)
    if given == "argument":
        call.append(f"BOOKS={books}")
    else:
        environment["BOOKS"] = books
    done = subprocess.run(call, capture_output=True, text=True, check=True, env=environment)
    expected = ["-m", "nextchapter.launch", "--cores", "1", f"--books={books}", "--"]
    assert done.stdout.strip() == str(expected)
    assert not list(tmp_path.rglob("evil"))


def test_without_a_folder_make_names_none(make: list[str]) -> None:
    done = subprocess.run([*make, "run", "CORES=1"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(["-m", "nextchapter.launch", "--cores", "1", "--"])
