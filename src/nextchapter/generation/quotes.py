"""Quotation marks in pairs: a paragraph that opens one closes it, one that only closes it opens it."""

import re

PAIRS = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "《": "》"}
"""Marks that open a quotation, with those that close it; what is written between straight marks is told by spaces."""
_OPENS = re.compile(r"""(?:^|[\s(\[—–-])["]$""")


def close_quotes(text: str) -> str:
    """Return a text whose paragraphs have their quotation marks in pairs.

    Paragraphs stand between blank lines. Of a pair without its end, the end is put behind the paragraph; of one
    without its beginning, the beginning before it. Paragraphs in which nothing is missing stay as they are.
    """
    return "\n\n".join(map(_close_paragraph, text.split("\n\n")))


def _close_paragraph(paragraph: str) -> str:
    for opening, closing in _pairs_of(paragraph).items():
        paragraph = _complete(paragraph, opening, closing)
    return _complete_straight(paragraph)


def _pairs_of(paragraph: str) -> dict[str, str]:
    """Return the pairs in use: „ is closed by “, which else opens itself."""
    found = {opening: closing for opening, closing in PAIRS.items() if opening in paragraph or closing in paragraph}
    if "„" in paragraph:
        found.pop("“", None)
    else:
        found.pop("„", None)
    if "»" in paragraph and "«" in paragraph and paragraph.index("»") < paragraph.index("«"):
        found.pop("«")  # the German manner, »so«, is left alone
    return found


def _complete(paragraph: str, opening: str, closing: str) -> str:
    """Return a paragraph with the mark that is missing at one of its ends."""
    depth = lowest = 0
    for character in paragraph:
        depth += (character == opening) - (character == closing)
        lowest = min(lowest, depth)
    if lowest < 0:
        return opening * -lowest + paragraph
    return paragraph.rstrip() + closing * depth


def _complete_straight(paragraph: str) -> str:
    """Return a paragraph with an even number of straight marks; a first mark behind a space opens a quotation."""
    places = [place for place, character in enumerate(paragraph) if character == '"']
    if len(places) % 2 == 0:
        return paragraph
    if _OPENS.search(paragraph[: places[0] + 1]):
        return paragraph.rstrip() + '"'
    return '"' + paragraph
