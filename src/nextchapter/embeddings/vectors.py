"""Learned vectors: what they are learned from, what comes out, and the files that hold them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.numpy import load_file, save

from nextchapter.store.files import atomic_path, write_text
from nextchapter.tokens.stream import TokenStream

SPACE = "\u2581"
"""Stands for a space in the text format, whose fields are parted by spaces."""


class Material(NamedTuple):
    """What vectors are learned from."""

    stream: TokenStream
    """The training chapters."""
    vocabulary_size: int
    cooccurrences: Path | None
    """The counted pairs, where the kind asks for them."""
    scratch: Path
    """Folder for what does not fit into memory."""


class LearnedVectors(NamedTuple):
    """Vectors of tokens."""

    vectors: np.ndarray
    """Zeros where a token has none, float32 [token dimension]."""
    known: np.ndarray
    """Which tokens have one, bool [token]."""
    facts: dict[str, Any]
    """What the training tells of itself."""


def save_vectors(path: Path, learned: LearnedVectors) -> None:
    """Write vectors to a safetensors file, atomically."""
    with atomic_path(path) as temporary:
        tensors = {"vectors": np.ascontiguousarray(learned.vectors), "known": learned.known}
        temporary.write_bytes(save(tensors))


def load_vectors(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of a safetensors file, float32 [token dimension], and which tokens have one, bool [token]."""
    tensors = load_file(path)
    return tensors["vectors"], tensors["known"]


def export_names(texts: Sequence[str]) -> list[str]:
    r"""Return a name for each token, all different and without white space, for the text format of word2vec.

    A space becomes U+2581; a backslash, U+2581 itself, and any other white space or control character become a Python
    escape such as `\n`. Of several tokens that look alike, as a letter and the byte that spells it, each but the
    first gets `\#` and its id.
    """
    seen: Counter[str] = Counter()
    names = []
    for token, text in enumerate(texts):
        name = "".join(_escape(character) for character in text)
        seen[name] += 1
        names.append(name if seen[name] == 1 and name else f"{name}\\#{token}")
    return names


def _escape(character: str) -> str:
    if character == " ":
        return SPACE
    plain = character.isprintable() and not character.isspace() and character not in (SPACE, "\\")
    return character if plain else character.encode("unicode_escape").decode()


def write_word2vec_text(path: Path, names: Sequence[str], vectors: np.ndarray) -> None:
    """Write vectors in word2vec's text format, digits enough to give back each float32 as it was."""
    lines = [f"{len(names)} {vectors.shape[1]}"]
    lines += [f"{name} {' '.join(map(str, vector))}" for name, vector in zip(names, vectors, strict=True)]
    write_text(path, "\n".join(lines) + "\n")
