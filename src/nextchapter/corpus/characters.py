"""Repairs below the level of words: line ends, composed letters, characters that no reader sees."""

import re
import unicodedata

from nextchapter.corpus.removals import Removals

_LINE_ENDS = "\u0085\u2028\u2029"
_NEXT_TO_LINE_END = re.compile(r"(?<=\n)[\f\v]|[\f\v](?=\n)")
_SOFT_HYPHEN = re.compile("\u00ad(?:[ \t]*\n[ \t]*)?")
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\u2060\ufffe\uffff]")


def repair_characters(text: str, removals: Removals) -> str:
    """Return text in composed form (NFC), with line feeds as its only line ends, without invisible characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for line_end in _LINE_ENDS:
        text = text.replace(line_end, "\n")
    if "\f" in text or "\v" in text:
        text = _NEXT_TO_LINE_END.sub("", text).replace("\f", "\n").replace("\v", "\n")
    text = _drop(_SOFT_HYPHEN, "soft hyphen", text, removals)
    text = _drop(_INVISIBLE, "control character", text, removals)
    return text if text.isascii() else _compose(text)


def _compose(text: str) -> str:
    """Return text in NFC, line by line: one loose accent makes the slow way necessary for all around it."""
    return "\n".join([unicodedata.normalize("NFC", line) for line in text.split("\n")])


def _drop(pattern: re.Pattern[str], reason: str, text: str, removals: Removals) -> str:
    kept, count = pattern.subn("", text)
    if count:
        removals.add(reason, "".join(pattern.findall(text)), count)
    return kept
