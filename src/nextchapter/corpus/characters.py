"""Repairs below the level of words: line ends, composed letters, ligatures, characters that no reader sees."""

import re
import unicodedata

from nextchapter.corpus.document import HEADING
from nextchapter.corpus.lines import code_units, pieces_of
from nextchapter.corpus.mojibake import repair_mojibake
from nextchapter.corpus.removals import Removals, Repairs

_NEXT_TO_LINE_END = re.compile(r"(?<=\n)[\f\v]|[\f\v](?=\n)")
_OTHER_LINE_ENDS = ("\u0085", "\u2028", "\u2029")
_SOFT_HYPHEN = re.compile("\u00ad(?:[ \t]*\n[ \t]*)?")
_INVISIBLE_RANGES = (
    (0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F), (0xFEFF, 0xFEFF), (0x2060, 0x2060), (0xFFFE, 0xFFFF),
)  # fmt: skip
"""Control characters, byte order marks and the like: the first and the last code of each range."""
_STRAY_SIGN = re.compile(f"(?<=[^\n]){HEADING}|{HEADING}(?![1-9])")
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


def repair_characters(text: str, removals: Removals) -> str:
    """Return text in composed form (NFC), with line feeds as its only line ends, without invisible characters.

    Each step looks first whether the text has what it repairs, for most texts have nothing of it.
    """
    repairs = removals.repairs
    text = _repair_line_ends(repair_mojibake(text, repairs), repairs)
    if "\f" in text or "\v" in text:
        text = _NEXT_TO_LINE_END.sub("", text).replace("\f", "\n").replace("\v", "\n")
    if "\u00ad" in text:
        text = _drop(_SOFT_HYPHEN, "soft hyphen", text, removals)
    text = _drop_invisible(text, removals)
    if text.isascii():
        return text
    return _compose(_spell_out_ligatures(text, repairs), repairs)


def _holds_invisible(text: str) -> bool:
    codes = code_units(text)
    highest = int(codes.max())
    return any(((first <= codes) & (codes <= last)).any() for first, last in _INVISIBLE_RANGES if first <= highest)


def _repair_line_ends(text: str, repairs: Repairs) -> str:
    """Return text with line feeds only; each other kind of line end is counted."""
    if "\r" in text:
        returns, both = text.count("\r"), text.count("\r\n")
        repairs.add("line ends CRLF", both)
        repairs.add("lone CR line ends", returns - both)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii():
        return text
    for end in _OTHER_LINE_ENDS:
        if end in text:
            repairs.add("Unicode line ends", text.count(end))
            text = text.replace(end, "\n")
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
    """Return text in NFC, line by line: one loose accent makes the slow way necessary for all around it."""
    return "\n".join([_compose_line(line, repairs) for line in text.split("\n")])


def _compose_line(line: str, repairs: Repairs) -> str:
    if line.isascii() or unicodedata.is_normalized("NFC", line):
        return line
    composed = unicodedata.normalize("NFC", line)
    differs = next((at for at, pair in enumerate(zip(line, composed, strict=False)) if pair[0] != pair[1]), 0)
    repairs.add("composed letters (NFC)", max(1, len(line) - len(composed)), _around(line, differs))
    return composed


def _around(text: str, place: int) -> str:
    return text[max(0, place - _AROUND_CHARACTERS) : place + _AROUND_CHARACTERS]


def _drop(pattern: re.Pattern[str], reason: str, text: str, removals: Removals) -> str:
    kept, count = pattern.subn("", text)
    if count:
        removals.add(reason, "".join(pattern.findall(text)), count)
    return kept


def _drop_invisible(text: str, removals: Removals) -> str:
    """Return text without control characters; the sign of a heading is kept where it can be one."""
    if not any(map(_holds_invisible, pieces_of(text))):
        return text
    if HEADING in text:
        text = _drop(_STRAY_SIGN, "control character", text, removals)
    for character in (chr(code) for first, last in _INVISIBLE_RANGES for code in range(first, last + 1)):
        if character in text and character != HEADING:
            removals.add("control character", character, text.count(character))
            text = text.replace(character, "")
    return text
