"""Sections of similar length, for a book without headings."""

import re
from itertools import accumulate

from nextchapter.corpus.sentences import ENDS, SPACELESS_ENDS

SECTION_CHARACTERS = 12_000
_SENTENCE_END = re.compile(rf"[{ENDS}][\"'”’»)\]]*\s+|[{SPACELESS_ENDS}]")


def cut_sections(text: str) -> list[str]:
    """Return a text in sections of similar length, about 12,000 characters, each ending where a paragraph ends.

    A paragraph longer than a section is first divided at the ends of sentences, else at spaces, else anywhere.
    """
    count = max(1, round(len(text) / SECTION_CHARACTERS))
    length = -(-len(text) // count)
    pieces = [piece for paragraph in text.split("\n\n") for piece in _divide(paragraph, max(length, 1))]
    middles = [end - len(piece) / 2 for end, piece in zip(accumulate(map(len, pieces)), pieces, strict=True)]
    total = sum(map(len, pieces)) or 1
    sections: list[list[str]] = [[] for _ in range(count)]
    for piece, middle in zip(pieces, middles, strict=True):
        sections[min(count - 1, int(middle * count / total))].append(piece)
    return ["\n\n".join(section) for section in sections if section]


def _divide(paragraph: str, longest: int) -> list[str]:
    pieces: list[str] = []
    start = 0
    while len(paragraph) - start > longest:
        stop = start + longest
        ends = [found.end() for found in _SENTENCE_END.finditer(paragraph, start + longest // 2, stop)]
        cut = ends[-1] if ends else paragraph.rfind(" ", start + 1, stop) + 1 or stop
        pieces.append(paragraph[start:cut].strip())
        start = cut
    pieces.append(paragraph[start:].strip())
    return [piece for piece in pieces if piece]
