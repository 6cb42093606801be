"""Passages of equal length: what a chapter is compared with must be as long as it is."""

from collections.abc import Sequence
from typing import TypeVar

from nextchapter.corpus.words import WORD

Item = TypeVar("Item")


def chapter_text(markdown: str) -> str:
    """Return a chapter without its heading."""
    first, _, rest = markdown.strip().partition("\n")
    return rest.strip() if first.startswith("#") else markdown.strip()


def words_of(text: str) -> list[str]:
    """Return the words of a text, upper and lower case made the same; marks between words are left out."""
    return WORD.findall(text.casefold())


def cut_words(text: str, start: int, count: int) -> str:
    """Return so many words of a text with all that stands between them, from the word of that number on.

    The words are those of `words_of`. Where its folding changes their number (Turkish dotted capitals), the folded text
    is cut.
    """
    folded = text.casefold()
    spans = [match.span() for match in WORD.finditer(text)]
    if len(spans) != len(WORD.findall(folded)):
        text, spans = folded, [match.span() for match in WORD.finditer(folded)]
    stop = min(start + count, len(spans))
    return text[spans[start][0] : spans[stop - 1][1]] if start < stop else ""


def cut_passages(text: str, words: int) -> list[str]:
    """Return a text in passages of so many words, end to end; what is left over at its end is dropped."""
    starts = [match.start() for match in WORD.finditer(text)]
    cuts = starts[::words]
    ends = [*cuts[1:], len(text)]
    whole = len(starts) // words
    return [text[start:end].strip() for start, end in zip(cuts[:whole], ends[:whole], strict=True)]


def spread_out(items: Sequence[Item], most: int) -> list[Item]:
    """Return at most so many of some items, spread evenly from the first to the last."""
    if len(items) <= most:
        return list(items)
    return [items[(2 * place + 1) * len(items) // (2 * most)] for place in range(most)]
