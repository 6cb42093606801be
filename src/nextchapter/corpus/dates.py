"""Dates that stand alone, as over the entries of a diary or over letters: the weakest of all marks of chapters."""

import re
from collections.abc import Sequence
from itertools import pairwise

from nextchapter.corpus.lines import Lines
from nextchapter.corpus.marks import Mark
from nextchapter.corpus.numerals import fold

DATES_STYLE = "dates that stand alone"

# January to December; forms of one month are joined by strokes.
_MONTHS = """
january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep october/oct
    november/nov december/dec
januar/janner februar/feber marz april mai juni juli august september oktober november dezember
janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre
gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre
janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
januari februari maart april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
stycznia lutego marca kwietnia maja czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia
"""
_SMALL_WORDS = frozenset("the of st nd rd th le la el il de den der am do год года г a d anno".split())
_WORD = re.compile(r"[^\W\d_]+|\d+")
_HAN_DATE = re.compile(r"(?:.{0,12}年)?\s*(\d{1,2})月(\d{1,2})[日號号]\D{0,10}")
_LONGEST_LINE = 60
_MOST_OTHER_WORDS = 4
_DAYS_A_MONTH = 31
_DAYS_A_YEAR = 12 * _DAYS_A_MONTH
_FEWEST_DATES = 4
_RISING_SHARE = 0.8


def dated_marks(lines: Sequence[str]) -> list[Mark]:
    """Return the dates that stand alone between blank lines, where they are some and go forward; else nothing.

    Place, weekday and year may stand beside day and month: `3 May. Bistritz.`, `Monday, 4 June 1894`.
    """
    table = Lines.of(lines)
    may_be_dates = [index for index in table.with_digits if table.is_alone[index]]
    dated = [(index, day) for index in may_be_dates if (day := _read_day(table.stripped[index])) is not None]
    forward = sum((after - before) % _DAYS_A_YEAR <= _DAYS_A_YEAR // 2 for (_, before), (_, after) in pairwise(dated))
    if len(dated) < _FEWEST_DATES or forward < _RISING_SHARE * (len(dated) - 1):
        return []
    return [
        Mark(index, DATES_STYLE, number, "", table.stripped[index]) for number, (index, _) in enumerate(dated, start=1)
    ]


def _read_day(line: str) -> int | None:
    """Return the day of the year that a line names, months counted as 31 days; None where it says more or no date."""
    if len(line) > _LONGEST_LINE:
        return None
    han = _HAN_DATE.fullmatch(line)
    if han:
        month, day = int(han[1]), int(han[2])
        return _DAYS_A_MONTH * (month - 1) + day - 1 if 1 <= month <= 12 and 1 <= day <= _DAYS_A_MONTH else None
    words = [fold(word) for word in _WORD.findall(line)]
    months = [place for place, word in enumerate(words) if word in _MONTH_OF]
    others = [word for word in words if not word.isdecimal() and word not in _SMALL_WORDS]
    if len(months) != 1 or len(others) > 1 + _MOST_OTHER_WORDS:
        return None
    beside = words[max(0, months[0] - 3) : months[0]][::-1] + words[months[0] + 1 : months[0] + 3]
    named = next((int(word) for word in beside if word.isdecimal() and 1 <= int(word) <= _DAYS_A_MONTH), None)
    return None if named is None else _DAYS_A_MONTH * _MONTH_OF[words[months[0]]] + named - 1


def _month_numbers() -> dict[str, int]:
    lines = re.sub(r"\n\s+", " ", _MONTHS).strip().splitlines()
    return {
        fold(form): month for line in lines for month, forms in enumerate(line.split()) for form in forms.split("/")
    }


_MONTH_OF = _month_numbers()
