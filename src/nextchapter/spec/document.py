"""The documentation and the JSON schema of the configuration, generated from the specification classes.

`python -m nextchapter.spec.document` writes `config/README.md` and `workflow/schemas/config.schema.json` anew; a test
keeps them equal to the classes.
"""

import json
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import annotated_types
from pydantic import StringConstraints
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from nextchapter.spec.base import Spec
from nextchapter.spec.study import Study

README = Path("config/README.md")
SCHEMA = Path("workflow/schemas/config.schema.json")
_INTRODUCTION = """\
# The configuration, key by key

Generated from the classes in `src/nextchapter/spec` by `make fmt`; do not edit. `config.yaml` is the default study;
`snakemake --cores N --configfile FILE` runs another one in its place. A key may also be set on the command line:
`--config books="/path/to/books"`, or `--config data="/path/to/set" preset=cpu` for a suite (docs/benchmarks.md).

A value that is wrong is named before any job starts, with its path, what was found and what is allowed.
"""


def schema_text() -> str:
    """Return the JSON schema of a configuration."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Study.model_json_schema()}
    return json.dumps(_without_titles(schema), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def readme_text() -> str:
    """Return the reference of all keys as Markdown: a table a class, in the order of the file."""
    parts, seen = [_INTRODUCTION], set()
    waiting: list[tuple[str, type[Spec]]] = [("", Study)]
    while waiting:
        path, spec = waiting.pop(0)
        if spec in seen:
            continue
        seen.add(spec)
        heading = f"`{path}`" if path else "Top level"
        parts.append(
            f"## {heading}\n\n{_first_paragraph(spec)}\n\n| key | default | allowed | meaning |\n|---|---|---|---|"
        )
        inside: list[tuple[str, type[Spec]]] = []
        for name, field in spec.model_fields.items():
            parts[-1] += f"\n| `{name}` | {_default(field)} | {_allowed(field)} | {_text(field.description)} |"
            inside += _parts(path, name, field.annotation)
        waiting = inside + waiting
        parts[-1] += "\n"
    return "\n".join(parts)


def _parts(path: str, name: str, annotation: Any) -> Iterator[tuple[str, type[Spec]]]:
    """Yield the specification classes inside a field, each with the path at which its keys stand."""
    here = f"{path}.{name}".strip(".")
    found = [part for part in _flatten(annotation) if isinstance(part, type) and issubclass(part, Spec)]
    inside = f"{here}.NAME" if typing.get_origin(_bare(annotation)) is dict else here
    for part in found:
        kind = part.model_fields.get("kind")
        yield (f"{inside} (kind: {kind.default})" if kind is not None else inside), part


def _flatten(annotation: Any) -> Iterator[Any]:
    arguments = typing.get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _flatten(argument)


def _bare(annotation: Any) -> Any:
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or (isinstance(value, Spec) and not value.model_fields_set):
        return "see below"
    return f"`{json.dumps(value, default=_given)}`"


def _given(value: Spec) -> dict[str, Any]:
    """Return the keys of a default that differ from those of its class."""
    return value.model_dump(mode="json", exclude_unset=True)


def _allowed(field: FieldInfo) -> str:
    """Return type and bounds in words."""
    limits = [text for item in field.metadata for text in _limits(item)]
    return ", ".join([_kind(field.annotation), *limits])


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        limits = [text for item in arguments[1:] for text in _limits(item)]
        return ", ".join([_kind(arguments[0]), *limits])
    if origin in (types.UnionType, typing.Union):
        return " or ".join(dict.fromkeys(_kind(argument) for argument in arguments))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is dict:
        return "keys of this table" if arguments[1] is Any else f"names, each with {_kind(arguments[1])}"
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return "keys below"
    return {int: "integer", float: "number", str: "text", bool: "true or false", Any: "any value", type(None): "null"}[
        annotation
    ]


def _limits(item: Any) -> Iterator[str]:
    signs = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    if isinstance(item, annotated_types.GroupedMetadata):
        for part in item:
            yield from _limits(part)
    elif isinstance(item, FieldInfo):
        for part in item.metadata:
            yield from _limits(part)
    elif isinstance(item, StringConstraints):
        if item.pattern is not None:
            yield f"like `{str(item.pattern).replace('|', chr(92) + '|')}`"
    else:
        yield from (f"{words} {getattr(item, sign)}" for sign, words in signs.items() if hasattr(item, sign))


def _first_paragraph(spec: type[Spec]) -> str:
    return _text((spec.__doc__ or "").split("\n\n")[0])


def _text(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _without_titles(value: Any) -> Any:
    """Return a schema without the titles that only repeat the names of the keys."""
    if isinstance(value, dict):
        return {key: _without_titles(part) for key, part in value.items() if key != "title" or isinstance(part, dict)}
    if isinstance(value, list):
        return [_without_titles(part) for part in value]
    return value


def main() -> None:
    """Write both files, from the root of the project."""
    README.write_text(readme_text(), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
