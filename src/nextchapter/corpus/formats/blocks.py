"""The paragraphs, headings and verses of a document that marks them itself, and the text they make."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nextchapter.corpus.document import HEADING, UnreadableBookError, heading_line

_MOST_BLOCKS = 1_000_000
"""Twice what 50 MB of prose have: each takes some 250 bytes of memory beside its text."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, or lines that stay lines."""

    lines: list[str]
    level: int = 0
    """Level of a heading, from 1; 0 where it is none."""
    verse: int = 0
    """Number of the stanza that it is a line of; 0 where it stands alone."""
    anchors: tuple[str, ...] = ()
    """Names of the places in and before it that a link may point to."""

    @property
    def text(self) -> str:
        """Its lines as one."""
        return " ".join(filter(None, self.lines))


def join_blocks(blocks: Iterable[Block]) -> str:
    """Return blocks as text with a blank line between them, but none between the lines of a stanza."""
    parts: list[str] = []
    stanza = 0
    for block in blocks:
        if parts:
            parts.append("\n" if block.verse and block.verse == stanza else "\n\n")
        parts.append(heading_line(block.level, block.text) if block.level else "\n".join(block.lines))
        stanza = block.verse
    return "".join(parts)


def refuse_too_many(blocks: Sequence[Block]) -> None:
    """Refuse a book of more paragraphs than any has.

    Raises:
        UnreadableBookError: there are too many.
    """
    if len(blocks) > _MOST_BLOCKS:
        raise UnreadableBookError(f"it has more than {_MOST_BLOCKS:,} paragraphs")


def without_marks(text: str) -> str:
    """Return text without the character by which a heading is known: a file's own is none."""
    return text.replace(HEADING, "")


def words_of(text: str) -> list[str]:
    """Return the words of a heading, to compare it with another."""
    return re.findall(r"[^\W_]+", text.casefold())
