"""Fingerprints of code: what a stage would do differently after an edit, and nothing else.

Snakemake does not see imports, so each rule carries the fingerprint of its stage as a param. It is a digest over the
syntax trees, docstrings stripped, of the stage and of all project modules that it imports, directly or not.
`nextchapter.spec` stays out: what it says of a run stands, resolved, in the rule's `spec` param, so a new key or model
reruns nothing. Families (models) are loaded by name and enter through `extra`: editing one reruns only its own runs.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

PACKAGE = "nextchapter"
SOURCE = Path(__file__).parent
_DATA_ONLY = f"{PACKAGE}.spec"


def fingerprint(module: str, extra: Sequence[str] = ()) -> str:
    """Return 16 hexadecimal digits that change when the code behind a module changes.

    Args:
        module: dotted name, such as `nextchapter.stages.train_model`.
        extra: modules that it loads by name at run time.

    Raises:
        ValueError: there is no such module.
    """
    total = hashlib.sha256()
    for name in sorted(import_closure(module, *extra)):
        total.update(f"{name} {_module_digest(name)}\n".encode())
    return total.hexdigest()[:16]


def import_closure(*modules: str) -> set[str]:
    """Return the project's modules that the given ones import, directly or not, themselves included."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen or name == _DATA_ONLY or name.startswith(f"{_DATA_ONLY}."):
            continue
        seen.add(name)
        waiting.extend(imported_modules(name))
        if name != PACKAGE:
            waiting.append(name.rpartition(".")[0])
    return seen


@functools.cache
def imported_modules(module: str) -> frozenset[str]:
    """Return the project's modules that one module imports, at its top or inside functions."""
    found: set[str] = set()
    for node in _statements(_tree(module)):
        for name in _names_of(node):
            if name == PACKAGE or name.startswith(f"{PACKAGE}."):
                found.update({name, name.rpartition(".")[0]})  # the last part may be a module or a name in one
    return frozenset(name for name in found if name and _file_of(name) is not None)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and all statements in it, at any depth; expressions hold neither imports nor docstrings."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting.extend(getattr(node, block, ()))


def _names_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file_of(module: str) -> Path | None:
    base = SOURCE.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file() and (module != PACKAGE or path.name == "__init__.py"):
            return path
    return None


@functools.cache
def _tree(module: str) -> ast.Module:
    path = _file_of(module)
    if path is None:
        raise ValueError(f"there is no module {module!r} in {SOURCE}")
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def _module_digest(module: str) -> str:
    tree = _tree(module)
    for node in _statements(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree, annotate_fields=False).encode()).hexdigest()


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
