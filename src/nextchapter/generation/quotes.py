"""Quotation marks in pairs: a paragraph that opens one closes it, one that only closes it opens it."""

import re

PAIRS = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", "《": "》"}
"""Marks that open a quotation, with those that close it; what is written between straight marks is told by spaces."""
_OPENS = re.compile(r"""(?:^|[\s(\[—–-])["]$""")


def close_quotes(text: str, given: str = "") -> str:
    """Return a text whose paragraphs have their quotation marks in pairs.

    Paragraphs stand between blank lines. Of a pair without its end, the end is put behind the paragraph; of one
    without its beginning, the beginning before it. Paragraphs in which nothing is missing stay as they are.

    Args:
        text: what was written.
        given: words that it begins with and that stay as they are: nothing is put before their paragraphs.
    """
    first_own = given.count("\n\n") + 1 if given else 0
    paragraphs = text.split("\n\n")
    closed = [_close_paragraph(paragraph, may_open=place >= first_own) for place, paragraph in enumerate(paragraphs)]
    return "\n\n".join(closed)


def _close_paragraph(paragraph: str, *, may_open: bool) -> str:
    completed = paragraph
    for opening, closing in _pairs_of(paragraph).items():
        completed = _complete(completed, opening, closing)
    completed = _complete_straight(completed)
    return completed if may_open or completed.startswith(paragraph.rstrip()) else paragraph


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
