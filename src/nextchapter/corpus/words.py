"""What counts as a word."""

import re

import numpy as np

from nextchapter.corpus.lines import code_units, look_up, pieces_of

MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u0eb1-\u0ece\u0f71-\u0f84\u102b-\u103e\u17b4-\u17d3"
)
"""Vowel signs and accents that Unicode writes behind their letter, for a class of a pattern; `\\w` leaves them out."""
# Letters and digits with inner apostrophes and hyphens; in scripts without spaces each character is a word.
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]++"
    rf"(?:[{MARKS}]++[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]*+)*+"
    rf"(?:['’-][^\W_]++(?:[{MARKS}]++[^\W_]*+)*+)*"
)
_FIRST_SPACELESS = 0x3040
_LETTER, _JOINT, _MARK = 1, 2, 3
_IS_MARK = re.compile(f"[{MARKS}]")


def _kind_of(character: str) -> int:
    if character.isalnum():
        return _LETTER
    return _JOINT if character in "'’-" else _MARK if _IS_MARK.match(character) else 0


_KINDS = np.array(list(map(_kind_of, map(chr, range(_FIRST_SPACELESS)))), dtype=np.uint8)


def count_words(text: str) -> int:
    """Return the number of words of a text."""
    return sum(map(_count_words_of_piece, pieces_of(text)))


def _count_words_of_piece(text: str) -> int:
    """Count where a run of letters begins, unless a joint ties it to the run before; the same count as by `WORD`."""
    codes = code_units(f"  {text}")
    kinds = look_up(codes, _KINDS) if codes.max() < _FIRST_SPACELESS else None
    if kinds is None or kinds.max() == _MARK:
        return sum(1 for _ in WORD.finditer(text))
    letter, joint = kinds == _LETTER, kinds == _JOINT
    begins = letter[1:] > letter[:-1]
    tied = letter[2:] & joint[1:-1] & letter[:-2]
    return int(np.count_nonzero(begins)) - int(np.count_nonzero(tied))
