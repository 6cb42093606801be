from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.passages import chapter_text, cut_passages, cut_words, spread_out, words_of


def test_a_chapter_is_taken_without_its_heading() -> None:
    assert chapter_text("# Chapter 2\n\nIt was.\n\nSo.\n") == "It was.\n\nSo."
    assert chapter_text("No heading.\nMore.") == "No heading.\nMore."
    assert chapter_text("# Only a heading") == ""


def test_words_are_cut_with_what_stands_between_them() -> None:
    text = "“Don't,” she said.\n\nHe -- went!"
    assert cut_words(text, 0, 2) == "Don't,” she"
    assert cut_words(text, 3, 9) == "He -- went"
    assert cut_words(text, 5, 1) == ""


@given(st.text(alphabet="aİß 漢.,\n'-’", max_size=60), st.integers(0, 10), st.integers(1, 10))
def test_the_words_of_a_cut_are_those_of_the_text(text: str, start: int, count: int) -> None:
    assert words_of(cut_words(text, start, count)) == words_of(text)[start : start + count]


def test_passages_lie_end_to_end_and_have_so_many_words() -> None:
    text = "One two. Three\n\nfour five six, seven"
    assert cut_passages(text, 3) == ["One two. Three", "four five six,"]
    assert cut_passages(text, 8) == []


def test_items_are_spread_evenly() -> None:
    assert spread_out(range(10), 20) == list(range(10))
    assert spread_out(range(10), 5) == [1, 3, 5, 7, 9]
