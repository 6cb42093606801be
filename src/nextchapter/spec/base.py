"""The base of all specification classes, their canonical JSON, and the error that names a wrong key."""

import difflib
import hashlib
import json
import typing
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError


class SpecError(ValueError):
    """The configuration is wrong; the message says where, what was found and what is allowed."""


class Spec(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for key, part in value.items():
                if key not in cls.model_fields:
                    near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                    hint = f"did you mean {near[0]!r}? " if near else ""
                    raise PydanticCustomError(
                        "wrong_key",
                        "unknown key; {hint}allowed here: {allowed}",
                        {"key": str(key), "hint": hint, "allowed": ", ".join(cls.model_fields)},
                    )
                if isinstance(part, bool) and not _takes_bool(cls.model_fields[key].annotation):
                    found = {"key": key, "found": str(part).lower()}
                    raise PydanticCustomError("wrong_key", "found {found}; true and false are no value here", found)
        return value

    def json_text(self) -> str:
        """Return the canonical JSON of this value: keys sorted, no white space."""
        return canonical_json(self.model_dump(mode="json"))


def _takes_bool(annotation: Any) -> bool:
    return annotation in (bool, Any) or any(_takes_bool(part) for part in typing.get_args(annotation))


def canonical_json(value: Any) -> str:
    """Return JSON text that is equal for equal values: keys sorted, no white space, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:16]


RunName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[0-9-]+)?(\.s[0-9]+)?$", max_length=120)
]
"""The name of a run, with its seed (`lstm.s1`) or without (`lstm`); one of a search has the number of its point."""

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=80)]
"""A name that is a folder and an MLflow name at once: letters, digits, `-` and `_`."""
Positive = Annotated[int, Field(ge=1)]
