from collections.abc import Callable

import pytest

from nextchapter.corpus.chapters import find_chapters
from nextchapter.corpus.dates import DATES_STYLE, dated_marks
from nextchapter.corpus.removals import Removals

Book = Callable[..., list[str]]


@pytest.mark.parametrize(
    "dates",
    [
        ["May 3.", "May 4.", "May 9.", "June 1.", "July 30."],
        ["3 May. Bistritz.", "4 May.", "5 May. The Castle.", "7 May.", "12 May."],
        ["Monday, 4 June 1894", "Tuesday, 5 June 1894", "Friday, 8 June 1894", "Monday, 2 July 1894"],
        ["London, May 3rd", "Paris, June 4th", "London, November 1st", "Rome, January 12th"],
        ["Den 3. März", "Den 7. März", "Den 1. April", "Den 24. Juni"],
        ["Le 1er janvier 1820", "Le 2 janvier", "Le 9 février", "Le 30 mars"],
        ["12 сентября", "13 сентября", "2 октября", "1 декабря"],
        ["1月3日", "1月5日 雨", "2月1日", "3月12日"],
    ],
    ids=lambda dates: dates[0],
)
def test_dates_are_the_chapters_of_a_diary(book_of: Book, dates: list[str]) -> None:
    lines = book_of(dates)
    close = [line for above, line in zip(["", *lines], lines, strict=False) if line or above]  # one blank line at most
    assert [mark.title for mark in dated_marks(close)] == dates
    style, sections = find_chapters(close, Removals())
    assert (style, [section.heading for section in sections]) == (DATES_STYLE, dates)
    assert [section.heading for section in find_chapters(lines, Removals())[1]] == dates


def test_dates_are_no_chapters_where_others_are_marked(book_of: Book) -> None:
    headings = [f"CHAPTER {number}\n\nMay {3 * number}.\n\nDear friend" for number in range(1, 7)]
    assert find_chapters(book_of(headings), Removals())[0] == "chapter"


@pytest.mark.parametrize(
    "dates",
    [
        ["May 3.", "April 1.", "December 9.", "June 1.", "February 3."],  # no order
        ["May 3.", "May 4.", "May 5."],  # too few
        ["May 3 was when he came back to them all at last", "It was May 4 when we all went home", "In May 5 of us"],
        ["May", "June", "July", "August"],
        ["March 41", "March 42", "March 43", "March 44"],
        ["13月1日", "14月2日", "15月3日", "16月4日"],
    ],
    ids=lambda dates: dates[0],
)
def test_lines_that_are_no_dates_in_their_order_mark_nothing(book_of: Book, dates: list[str]) -> None:
    assert dated_marks(book_of(dates)) == []
