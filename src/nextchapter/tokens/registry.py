"""From a specification to a tokenizer, and from a file back to the tokenizer that it holds.

A kind is found by name: `kind: unigram` is `nextchapter.tokens.unigram.TOKENIZER`. Nothing lists the kinds here, so a
new one changes no code that an existing run depends on.
"""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from nextchapter.spec.tokens import TokenizerSpec
from nextchapter.tokens.protocol import Tokenizer, read_tokenizer_file

_SPECS: TypeAdapter[TokenizerSpec] = TypeAdapter(TokenizerSpec)


def train_tokenizer(texts: Iterable[str], spec: dict[str, Any]) -> Tokenizer:
    """Return a tokenizer learned from some texts.

    Args:
        texts: the training chapters; they are gone through more than once.
        spec: the specification; `kind` names the module.

    Raises:
        SpecError: the texts do not hold what the specification asks for.
    """
    return _tokenizer_class(spec["kind"]).train(texts, _SPECS.validate_python(spec))


def load_tokenizer(path: Path | str) -> Tokenizer:
    """Return the tokenizer of a file, whatever its kind.

    Raises:
        ValueError: the file holds no tokenizer of this project.
    """
    kind, payload = read_tokenizer_file(path)
    return _tokenizer_class(kind).from_payload(payload)


def _tokenizer_class(kind: str) -> type[Tokenizer]:
    module = importlib.import_module(f"nextchapter.tokens.{kind}")
    found: type[Tokenizer] = module.TOKENIZER
    return found
