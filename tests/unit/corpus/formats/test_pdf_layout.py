import textwrap

from nextchapter.corpus.document import heading_line
from nextchapter.corpus.formats.pdf_layout import Bookmark, place_bookmarks, remove_running_heads
from nextchapter.corpus.removals import Removals

TEXT = textwrap.wrap(
    "It was late when the cart came down the hill and the lamps were lit in every window there. " * 3, 40
)


def test_lines_at_the_edges_with_the_number_of_the_page_are_running_heads() -> None:
    heads = ["The Hill 11", "12 A. Writer", "The Hill 13", "14 A. Writer", "The Lamps 15"]
    removals = Removals()
    kept = remove_running_heads([[head, "", *TEXT] for head in heads], removals)
    assert [line for page in kept for line in page if line] == TEXT * 5
    assert [(record["reason"], record["count"]) for record in removals.records()] == [("running head", 5)]


def test_a_sentence_goes_on_over_the_page_behind_a_removed_line() -> None:
    body = ["and so it went", "on and on and", "on for ever"]
    pages = [[f"The Road {number}", "", *body, ""] for number in (5, 6, 7)]
    assert remove_running_heads(pages, Removals()) == [body] * 3


def test_numbered_chapters_at_the_top_of_pages_are_no_heads() -> None:
    pages = [page for number in range(1, 6) for page in ([f"Chapter {number}", *TEXT], TEXT)]
    assert remove_running_heads(pages, Removals()) == pages


def test_a_line_alike_on_a_fifth_of_the_pages_is_a_head_and_a_speakers_name_on_few_is_none() -> None:
    pages = [
        ["THE ROAD", "", *TEXT] if number % 2 else ["HAMLET", *TEXT] if number % 10 == 0 else TEXT
        for number in range(40)
    ]
    kept = [line for page in remove_running_heads(pages, Removals()) for line in page]
    assert (kept.count("THE ROAD"), kept.count("HAMLET")) == (0, 4)


def test_a_title_that_its_page_does_not_show_stands_at_the_top_where_most_others_are_found() -> None:
    pages = [[title, *TEXT] for title in ("The Hill", "The Lamps", "Night", "Morning")] + [TEXT]
    outline = [
        Bookmark(1, page, title) for page, title in enumerate(["The Hill", "The Lamps", "Night", "Morning", "End"])
    ]
    placed = place_bookmarks(pages, outline)
    assert [page[1] for page in placed] == [heading_line(1, bookmark.title) for bookmark in outline]
    assert placed[-1][3:] == TEXT
    assert place_bookmarks(pages, outline[3:]) == pages
