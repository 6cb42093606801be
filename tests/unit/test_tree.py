"""The rules of the tree that hold for every file: layers, names, light imports, documents kept equal."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from nextchapter.code import import_closure, imported_modules

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "nextchapter"
LAYERS = [
    "spec", "store", "code", "shelf", "sources", "parts", "flow", "corpus", "tokens", "embeddings", "models",
    "training", "evaluation", "generation", "diagnostics", "report", "tracking", "stages",
]  # fmt: skip
ENTRIES = {"stages", "cli", "app", "launch", "clean"}
MODULES = sorted(
    ".".join(("nextchapter", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
)
WORKFLOW = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
RULES = re.findall(r"^\s*rule (\w+):", WORKFLOW, re.MULTILINE)
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "config/README.md", *ROOT.glob("docs/**/*.md")])
STAGES = sorted(path.stem for path in (SOURCE / "stages").glob("*.py") if path.stem not in ("__init__", "command"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_its_own_layer_and_those_above_it(module: str) -> None:
    layer = module.split(".")[1] if "." in module else ""
    if not layer or layer in ENTRIES:
        return
    allowed = set(LAYERS[: LAYERS.index(layer) + 1])
    used = {name.split(".")[1] for name in imported_modules(module) if "." in name}
    assert used <= allowed


@pytest.mark.parametrize("module", MODULES)
def test_only_tracking_imports_mlflow(module: str) -> None:
    path = SOURCE.joinpath(*module.split(".")[1:])
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert "mlflow" not in imported or ".tracking." in module


def test_neither_torch_nor_pandas_nor_mlflow_stands_behind_what_the_snakefile_imports() -> None:
    probe = (
        "import sys; import nextchapter.flow, nextchapter.report.forecast, nextchapter.report.summary;"
        "print(sorted({'torch', 'pandas', 'mlflow', 'matplotlib', 'sentencepiece'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_what_is_trained_does_not_depend_on_how_it_is_shown() -> None:
    closure = import_closure("nextchapter.stages.train_model", "nextchapter.models.lstm")
    assert not [name for name in closure if ".tracking" in name or ".report" in name or ".models.gru" in name]


def test_every_rule_is_a_stage_and_every_stage_a_rule() -> None:
    assert sorted(RULES) == STAGES


def _body_of(rule: str) -> str:
    return re.split(r"^\s*rule ", WORKFLOW.split(f"rule {rule}:")[1], flags=re.MULTILINE)[0]


@pytest.mark.parametrize("rule", RULES)
def test_one_name_in_five_places(rule: str) -> None:
    body = _body_of(rule)
    assert f"python -m nextchapter.stages.{rule} " in body
    assert f'"logs/{rule}/' in re.split(r"benchmark:|cache:", body.split("log:")[1])[0]
    # Snakemake allows no benchmark file where results are shared between workflows.
    assert "cache: True" in body or f'"logs/{rule}/' in body.split("benchmark:")[1]
    assert (ROOT / "tests/stages" / f"test_{rule}.py").is_file()
    assert f"def {rule}(" in (SOURCE / "stages" / f"{rule}.py").read_text()


def test_the_conda_environment_agrees_with_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    *conda, pip = environment["dependencies"]
    python = next(entry for entry in conda if entry.startswith("python"))
    assert python.removeprefix("python") == project["requires-python"]
    declared = {re.split(r"[<>=]", entry)[0]: entry for entry in project["dependencies"]}
    installed = {re.split(r"[<>=]", entry)[0]: entry for entry in conda}
    aliases = {
        "torch": "pytorch", "sentencepiece": "sentencepiece-python", "matplotlib": "matplotlib-base",
        "xxhash": "python-xxhash",
        "pypandoc_binary": "pypandoc",  # conda has pandoc as a package of its own
        "openTSNE": "opentsne",
    }  # fmt: skip
    for name, entry in declared.items():
        alias = aliases.get(name, name)
        assert installed.get(alias, "").removeprefix(alias) == entry.removeprefix(name)
    assert pip == {"pip": ["--no-deps -e ."]}


def test_constraints_pin_every_dependency_and_name_no_host() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {re.split(r"[=;\s]", line)[0].lower() for line in lines}
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[<>=]", entry)[0].lower().replace("_", "-") for entry in wanted}
    assert names - pinned == {"torch"}
    assert all("==" in line for line in lines if line)
    assert not [line for line in lines if "://" in line]


def _prose_of(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def _anchors_of(page: Path) -> set[str]:
    """As code hosts make them of headings: in lower case, without marks, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", _prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)|src=\"([^\"]+)\"", _prose_of(page))
    for target, _, anchor in ("".join(link).partition("#") for link in links):
        led_to = page.parent / target if target else page
        assert led_to.exists(), target
        assert not anchor or anchor in _anchors_of(led_to), f"{target}#{anchor}"
