"""The heading of the next chapter, in the manner of the shelf: `CHAPTER XXIV` is followed by `CHAPTER XXV`."""

import re
from collections.abc import Sequence

from nextchapter.corpus.numerals import read_number

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ROMAN = [
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
]  # fmt: skip
_WORD_NUMBER = "|".join(
    sorted(
        [*_ONES[1:], *(f"{ten}(?:[- ](?:{'|'.join(_ONES[1:10])}))?" for ten in _TENS[2:])],
        key=len,
        reverse=True,
    )
)
_NUMERAL = re.compile(
    rf"(?<!\d)(?P<arabic>\d{{1,4}})(?!\d)(?P<unit>[^\W\d_]*)|\b(?:(?P<roman>[MDCLXVI]+|[mdclxvi]+)"
    rf"|(?P<word>(?i:{_WORD_NUMBER})))\b"
)
_MARK = re.compile(r"[.:]?(?=\W|$)")


def next_heading(headings: Sequence[str]) -> str:
    """Return the heading that follows the last of a book.

    The last heading with a number is continued: its words and its kind of numeral are kept, a title behind it is not.
    A book without numbers gets the number of its next chapter.
    """
    for heading in reversed(headings):
        following = _continue(heading)
        if following is not None:
            return following
    return f"Chapter {len(headings) + 1}" if any(headings) else str(len(headings) + 1)


def _continue(heading: str) -> str | None:
    """Return the heading up to its numeral, which is one higher; None where it has none.

    `I Go to Sea` and `One Day in June` are titles: letters are a numeral behind a word or two, or before a mark.
    """
    for match in _NUMERAL.finditer(heading):
        before, behind = " ".join(heading[: match.start()].split()), heading[match.end() :]
        mark = _MARK.match(behind)
        number = _value(match)
        counted = match["arabic"] or not behind.strip() or (mark and mark[0]) or (before and len(before.split()) == 1)
        if number is None or not counted or len(before.split()) > 3:
            continue
        gap = " " if heading[: match.start()].endswith(" ") else ""
        return f"{before}{gap}{_like(match, number + 1)}{match['unit'] or ''}{mark[0] if mark else ''}".strip()
    word, _, number_text = heading.strip().partition(" ")
    read = read_number(number_text.strip())
    return f"{word} {read[0] + 1}" if read and not read[1].strip() else None


def _value(match: re.Match[str]) -> int | None:
    if match["arabic"]:
        return int(match["arabic"])
    if match["word"]:
        first, _, second = match["word"].lower().replace("-", " ").partition(" ")
        if first in _ONES:
            return _ONES.index(first)
        return 10 * _TENS.index(first) + (_ONES.index(second) if second else 0)
    text = match["roman"].upper()
    value = sum(
        (-1 if index + 1 < len(text) and _roman_digit(text[index + 1]) > _roman_digit(letter) else 1)
        * _roman_digit(letter)
        for index, letter in enumerate(text)
    )
    return value if roman(value) == text else None


def _like(match: re.Match[str], number: int) -> str:
    """Return a number in the kind and case of the numeral that was matched."""
    if match["arabic"]:
        return str(number)
    if match["roman"]:
        return roman(number) if match["roman"].isupper() else roman(number).lower()
    joint = " " if " " in match["word"] else "-"
    words = number_words(number, joint)
    if match["word"].isupper():
        return words.upper()
    return words.title() if match["word"][0].isupper() else words


def roman(number: int) -> str:
    """Return a Roman numeral in capitals."""
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def number_words(number: int, joint: str = "-") -> str:
    """Return a number below 100 in English words, and a larger one in digits."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return _TENS[ten] + (joint + _ONES[one] if one else "")
    return str(number)


def _roman_digit(letter: str) -> int:
    return next(value for value, letters in _ROMAN if letters == letter)
