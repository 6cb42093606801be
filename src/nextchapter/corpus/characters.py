"""Repairs below the level of words: line ends, composed letters, ligatures, characters that no reader sees."""

import re
import unicodedata

from nextchapter.corpus.mojibake import repair_mojibake
from nextchapter.corpus.removals import Removals, Repairs

_LINE_ENDS = "\u0085\u2028\u2029"
_NEXT_TO_LINE_END = re.compile(r"(?<=\n)[\f\v]|[\f\v](?=\n)")
_SOFT_HYPHEN = re.compile("\u00ad(?:[ \t]*\n[ \t]*)?")
# The sign of a heading (document.py) is kept where it can be one.
_INVISIBLE = re.compile(
    "(?<![^\n])\x02(?![1-9])|(?<=[^\n])\x02|[\x00\x01\x03-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\u2060\ufffe\uffff]"
)
_LIGATURES = {
    "\ufb00": "ff",
    "\ufb01": "fi",
    "\ufb02": "fl",
    "\ufb03": "ffi",
    "\ufb04": "ffl",
    "\ufb05": "st",
    "\ufb06": "st",
}
_AROUND_CHARACTERS = 20


def repair_characters(text: str, removals: Removals, repairs: Repairs) -> str:
    """Return text in composed form (NFC), with line feeds as its only line ends, without invisible characters.

    Each step looks first whether the text has what it repairs, for most texts have nothing of it.
    """
    text = _repair_line_ends(repair_mojibake(text, repairs), repairs)
    if "\f" in text or "\v" in text:
        text = _NEXT_TO_LINE_END.sub("", text).replace("\f", "\n").replace("\v", "\n")
    if "\u00ad" in text:
        text = _drop(_SOFT_HYPHEN, "soft hyphen", text, removals)
    text = _drop(_INVISIBLE, "control character", text, removals)
    if text.isascii():
        return text
    return _compose(_spell_out_ligatures(text, repairs), repairs)


def _repair_line_ends(text: str, repairs: Repairs) -> str:
    """Return text with line feeds only; each other kind of line end is counted."""
    if "\r" in text:
        returns, both = text.count("\r"), text.count("\r\n")
        repairs.add("line ends CRLF", both)
        repairs.add("lone CR line ends", returns - both)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        return text
    repairs.add("Unicode line ends", sum(map(text.count, _LINE_ENDS)))
    for line_end in _LINE_ENDS:
        text = text.replace(line_end, "\n")
    return text


def _spell_out_ligatures(text: str, repairs: Repairs) -> str:
    """Return text with the letters that ligatures such as `\ufb01` stand for."""
    found = {ligature: text.count(ligature) for ligature in _LIGATURES if ligature in text}
    if not found:
        return text
    repairs.add("ligatures", sum(found.values()), _around(text, min(map(text.index, found))))
    for ligature in found:
        text = text.replace(ligature, _LIGATURES[ligature])
    return text


def _compose(text: str, repairs: Repairs) -> str:
    """Return text in NFC; accents typed as characters of their own are counted."""
    if unicodedata.is_normalized("NFC", text):
        return text
    # A paragraph each: one loose accent makes the slow way necessary for all around it.
    composed = "\n\n".join([unicodedata.normalize("NFC", paragraph) for paragraph in text.split("\n\n")])
    differs = next((place for place, pair in enumerate(zip(text, composed, strict=False)) if pair[0] != pair[1]), 0)
    repairs.add("composed letters (NFC)", max(1, len(text) - len(composed)), _around(text, differs))
    return composed


def _around(text: str, place: int) -> str:
    return text[max(0, place - _AROUND_CHARACTERS) : place + _AROUND_CHARACTERS]


def _drop(pattern: re.Pattern[str], reason: str, text: str, removals: Removals) -> str:
    kept, count = pattern.subn("", text)
    if count:
        removals.add(reason, "".join(pattern.findall(text)), count)
    return kept
