"""The families of models, and their specifications, which are read from their files without torch.

A family is one file in `nextchapter.models`, with its keys in a class derived from `FamilySpec`, and one name below.
Snakemake needs the keys at each call and must not wait two seconds for torch; so of a family's file only the light
imports and the classes whose names end in `Spec` are compiled here. The stages import the file whole.
"""

import ast
import functools
import operator
import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nextchapter.spec.models import FamilySpec

FAMILIES = (
    "cache", "dynamic", "elman", "ensemble", "feed_forward", "gru", "hmm", "hmm_cloned", "hmm_neural", "lstm", "mingru",
    "minlstm", "mogrifier", "ngram", "rlstm", "slstm", "uniform", "unigram",
)  # fmt: skip

_FOLDER = Path(__file__).parents[1] / "models"
_LIGHT = ("nextchapter.spec", "pydantic", "typing")


def read_family(family: str) -> type[FamilySpec]:
    """Return the specification class in a family's file.

    Args:
        family: name of the file without suffix; `-` in a `kind` is `_` here.

    Raises:
        ValueError: the file has no class that derives from `FamilySpec` and says this `kind`.
    """
    path = _FOLDER / f"{family}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if _is_light_import(node) or _is_specification(node)]
    module = types.ModuleType(f"nextchapter.models.{family}")
    exec(compile(tree, path, "exec"), vars(module))  # noqa: S102 - a file of this package
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, FamilySpec) and _kind_of(value) == family.replace("_", "-"):
            return value
    raise ValueError(f"{path} must have a class derived from FamilySpec with kind: Literal[{family!r}] = {family!r}")


def _is_light_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_LIGHT)


def _is_specification(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and node.name.endswith("Spec")


def _kind_of(spec: type[FamilySpec]) -> object:
    return spec.model_fields["kind"].default


if TYPE_CHECKING:
    ModelSpec = FamilySpec
else:
    ModelSpec = Annotated[functools.reduce(operator.or_, map(read_family, FAMILIES)), Field(discriminator="kind")]
