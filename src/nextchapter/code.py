"""Fingerprints of code: what a stage would do differently after an edit, and nothing else.

Snakemake does not see imports, so each rule carries the fingerprint of its stage as a param. It is a digest over the
syntax trees, docstrings stripped, of the stage and of all project modules that it imports, directly or not.
`nextchapter.spec` stays out: what it says of a run stands, resolved, in the rule's `spec` param, so a new key or model
reruns nothing. Families (models) are loaded by name and enter through `extra`: editing one reruns only its own runs.
"""

import ast
import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nextchapter.store.files import write_text

PACKAGE = "nextchapter"
SOURCE = Path(__file__).parent
KEPT = Path(".work/code")
"""What was found in each text of a module, a file each: to parse all of them takes a second."""
_DATA_ONLY = f"{PACKAGE}.spec"


class _Found(NamedTuple):
    """What a fingerprint needs to know of a module."""

    digest: str
    """Of its syntax tree without docstrings."""
    names: list[str]
    """Dotted names of the project that it imports: modules, and names in modules."""


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
        total.update(f"{name} {_found(name).digest}\n".encode())
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
    # the last part of a name may be a module or a name in one
    modules = {part for name in _found(module).names for part in (name, name.rpartition(".")[0])}
    return frozenset(name for name in modules if name and _file_of(name) is not None)


@functools.cache
def _found(module: str) -> _Found:
    """Return what is in a module, read from `KEPT` where this very text was parsed before."""
    path = _file_of(module)
    if path is None:
        raise ValueError(f"there is no module {module!r} in {SOURCE}")
    text = path.read_bytes()
    key = hashlib.sha256(b"\0".join([sys.version.encode(), Path(__file__).read_bytes(), text])).hexdigest()
    kept = KEPT / key
    found = _remembered(kept)
    if found is None:
        found = _parse(text, path)
        content = json.dumps(found._asdict())
        with contextlib.suppress(OSError):  # no room, or no permission: the next call parses again
            write_text(kept, f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}")
    return found


def _remembered(kept: Path) -> _Found | None:
    """Return what an earlier call found; None where the file is missing, damaged or another user's alone."""
    try:
        checksum, _, content = kept.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest().encode() != checksum:
        return None
    return _Found(**json.loads(content))


def _parse(text: bytes, path: Path) -> _Found:
    tree = ast.parse(text, filename=str(path))
    names = {name for node in _statements(tree) for name in _names_of(node)}
    for node in _statements(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
    digest = hashlib.sha256(ast.dump(tree, annotate_fields=False).encode()).hexdigest()
    return _Found(digest, sorted(name for name in names if name == PACKAGE or name.startswith(f"{PACKAGE}.")))


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


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
