"""How a text becomes words and punctuation, and becomes the same text again.

Prose: a space is no token. It stands between two tokens where the rule of `_Spacing` says so; where the text differs
from the rule, a token says that: `" "` for a space against the rule, `<join>` for none against it. So a text is
given back as it was, and a model pays for all of it.

Lines, for benchmark files: tokens are what stands between white space, and a line ends with `<eos>`.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import Protocol

from nextchapter.corpus.words import MARKS
from nextchapter.tokens.protocol import END_OF_CHAPTER

UNKNOWN, EOS, JOIN, SPACE = "<unk>", "<eos>", "<join>", " "
PARAGRAPH, LINE = "\n\n", "\n"

_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# A break, an ideograph, a word with inner apostrophes and hyphens, or any one other character.
_ATOM = re.compile(
    rf"\n\n|[{_WIDE}]|[^\W_{_WIDE}](?:[^\W_{_WIDE}]|[{MARKS}])*(?:['’-](?:[^\W_{_WIDE}]|[{MARKS}])+)*|[\s\S]"
)
_WORD_OR_LINE_END = re.compile(r"\S+|\n")


class Splitting(Protocol):
    """A way to cut text into the surfaces of tokens, and to put them together."""

    special: tuple[str, ...]
    """The first tokens of the vocabulary: `<unk>`, the end of a chapter, and what the splitting itself needs."""

    def words(self, text: str) -> Sequence[str]:
        """Return what a vocabulary may be learned from."""

    def split(self, text: str, known: Container[str]) -> list[str]:
        """Return the surfaces of the tokens of a text; those not in `known` will be read as `<unk>`."""

    def pieces(self, surfaces: Iterable[str]) -> Iterator[str]:
        """Yield the text that each token adds, with the space before it."""

    def ends(self, text: str, known: Container[str]) -> Iterator[int]:
        """Yield where in a text each token that `split` returns ends, in code points."""

    def is_boundary(self, surface: str) -> bool:
        """Return whether what stands before a token says nothing about its text and what follows."""


class _Shape(Enum):
    """How a token stands to its neighbours."""

    WORD = "a space on either side"
    OPENING = "a space before"
    CLOSING = "a space behind"
    JOINED = "no space on either side"
    PAIRED = "opening and closing in turn, within a paragraph"


class Prose:
    """Words, punctuation marks and line breaks, with spaces by rule."""

    special: tuple[str, ...] = (UNKNOWN, END_OF_CHAPTER, PARAGRAPH, LINE, SPACE, JOIN)

    def words(self, text: str) -> list[str]:
        """Return words and marks in the order of the text, without spaces and breaks."""
        return [atom for atom in _ATOM.findall(text) if atom not in self.special]

    def split(self, text: str, known: Container[str]) -> list[str]:
        """Return the surfaces of the tokens of a text, with `" "` and `<join>` where it differs from the rule."""
        surfaces: list[str] = []
        spacing, waiting = _Spacing(), False
        for atom in _ATOM.findall(text):
            if atom == SPACE and not waiting:
                waiting = True
                continue
            if spacing.step(atom if atom in known else UNKNOWN) != waiting:
                surfaces.append(SPACE if waiting else JOIN)
            waiting = atom == SPACE
            if not waiting:
                surfaces.append(atom)
        return [*surfaces, SPACE] if waiting else surfaces

    def pieces(self, surfaces: Iterable[str]) -> Iterator[str]:
        """Yield the text that each token adds; `<join>` and the end of a chapter add none."""
        spacing = _Spacing()
        for surface in surfaces:
            space = SPACE if spacing.step(surface) else ""
            yield "" if surface in (JOIN, END_OF_CHAPTER) else space + surface

    def ends(self, text: str, known: Container[str]) -> Iterator[int]:
        """Yield where each token ends, the space before it being part of it."""
        surfaces = self.split(text, known)
        end = 0
        for surface, piece in zip(
            surfaces, self.pieces(surface if surface in known else UNKNOWN for surface in surfaces), strict=True
        ):
            end += len(piece) if surface in known else len(piece) - len(UNKNOWN) + len(surface)
            yield end

    def is_boundary(self, surface: str) -> bool:
        """Return whether the token is a paragraph break: the rule begins anew there."""
        return surface == PARAGRAPH


class _Spacing:
    """The rule: a space stands between two tokens unless the first allows none behind it or the second none before."""

    def __init__(self) -> None:
        self._allowed = False
        self._open: set[str] = set()

    def step(self, surface: str) -> bool:
        """Read a token; return whether a space stands before it."""
        allowed, shape = self._allowed, _shape(surface)
        if shape is _Shape.WORD:
            self._allowed = True
            return allowed
        if shape is _Shape.PAIRED:
            opens = surface not in self._open
            self._open ^= {surface}
            self._allowed = not opens
            return allowed and opens
        if surface == PARAGRAPH:
            self._open.clear()
        self._allowed = shape is _Shape.CLOSING
        return allowed and shape is _Shape.OPENING


@lru_cache(maxsize=2**16)
def _shape(surface: str) -> _Shape:
    """Return how a token stands to its neighbours, by the Unicode category of its character."""
    if surface in (SPACE, JOIN, LINE, PARAGRAPH, END_OF_CHAPTER):
        return _Shape.JOINED
    if len(surface) > 1:
        return _Shape.WORD
    if surface in "\"'":
        return _Shape.PAIRED
    category = unicodedata.category(surface)
    if category in ("Pd", "Zs", "Cc") or surface in "/_" or _is_unspaced(surface):
        return _Shape.JOINED
    if category in ("Ps", "Pi", "Sc") or surface in "¿¡":
        return _Shape.OPENING
    return _Shape.CLOSING if category in ("Pe", "Pf") or surface in ".,;:!?…%" else _Shape.WORD


def _is_unspaced(character: str) -> bool:
    """Return whether a character belongs to a script that writes no spaces: wide, and not Korean."""
    return unicodedata.east_asian_width(character) in "WF" and not "\uac00" <= character <= "\ud7a3"


class Lines:
    """What stands between white space, and `<eos>` for each line's end; the last is the end of the chapter."""

    special: tuple[str, ...] = (UNKNOWN, EOS)

    def words(self, text: str) -> list[str]:
        """Return the words of all lines."""
        return text.split()

    def split(self, text: str, known: Container[str]) -> list[str]:  # noqa: ARG002 - words are taken as they are
        """Return the words, with `<eos>` between the lines."""
        surfaces: list[str] = []
        for line in text.split("\n"):
            surfaces += line.split()
            surfaces.append(EOS)
        return surfaces[:-1]

    def pieces(self, surfaces: Iterable[str]) -> Iterator[str]:
        """Yield the text that each token adds: a word with a space before it within its line, or a line's end."""
        first = True
        for surface in surfaces:
            yield "\n" if surface == EOS else surface if first else f" {surface}"
            first = surface == EOS

    def ends(self, text: str, known: Container[str]) -> Iterator[int]:  # noqa: ARG002 - words are taken as they are
        """Yield where each word and each line's end stands in the text, whatever white space lies between."""
        return (match.end() for match in _WORD_OR_LINE_END.finditer(text))

    def is_boundary(self, surface: str) -> bool:
        """Return whether the token ends a line."""
        return surface == EOS
