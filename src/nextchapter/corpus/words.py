"""What counts as a word."""

import re

import numpy as np

from nextchapter.corpus.lines import code_units, look_up, pieces_of

# Letters and digits with inner apostrophes and hyphens; in scripts without spaces each character is a word.
WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
    r"|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+(?:['’-][^\W_]+)*"
)
_FIRST_SPACELESS = 0x3040
_LETTER, _JOINT = 1, 2
_KINDS = np.array(
    [
        _LETTER if character.isalnum() else _JOINT if character in "'’-" else 0
        for character in map(chr, range(_FIRST_SPACELESS))
    ],
    dtype=np.uint8,
)


def count_words(text: str) -> int:
    """Return the number of words of a text."""
    return sum(map(_count_words_of_piece, pieces_of(text)))


def _count_words_of_piece(text: str) -> int:
    """Count where a run of letters begins, unless a joint ties it to the run before; the same count as by `WORD`."""
    codes = code_units(f"  {text}")
    if codes.max() >= _FIRST_SPACELESS:
        return sum(1 for _ in WORD.finditer(text))
    kinds = look_up(codes, _KINDS)
    letter, joint = kinds == _LETTER, kinds == _JOINT
    begins = letter[1:] > letter[:-1]
    tied = letter[2:] & joint[1:-1] & letter[:-2]
    return int(np.count_nonzero(begins)) - int(np.count_nonzero(tied))
