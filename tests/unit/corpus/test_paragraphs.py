import re
import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import paragraphs
from nextchapter.corpus.paragraphs import Joiner, kept_paragraphs, split_blocks
from nextchapter.corpus.removals import Removals, ink

WIDE = "the quick brown fox jumps over the lazy dog and then goes home to sleep again\n"
TEXTS = st.text(st.sampled_from("aB é-\u2010—. ,\n\n\t語「"), max_size=300)
LINES = st.lists(st.text(st.sampled_from("aBÉſΣİ-’'—.\u00a0 1_語"), max_size=12), max_size=12)


def joined(text: str, book: str = "") -> list[str]:
    """Join the lines of a text in a book that has wide lines elsewhere."""
    lines = text.split("\n")
    return Joiner([*lines, "", *(book or WIDE * 40).split("\n")], Removals()).join(lines).split("\n\n")


def test_wrapped_lines_become_a_paragraph(prose: Callable[..., str]) -> None:
    text = prose(20_000)
    assert joined(text) == [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]


def test_spaces_within_and_around_lines_become_one() -> None:
    assert joined("  He came.  She saw and went away over the hills and far into the night\nwith  him. ") == [
        "He came. She saw and went away over the hills and far into the night with him."
    ]


def test_verse_keeps_its_lines() -> None:
    verse = "How doth the little crocodile\n  Improve his tail,\nAnd pour the waters of the Nile\n  On every scale!"
    assert joined(verse) == ["\n".join(line.strip() for line in verse.split("\n"))]


def test_a_book_of_verse_keeps_its_lines_even_where_they_are_full() -> None:
    verse = "Of Man's first disobedience, and the fruit\nOf that forbidden tree whose mortal taste\nBrought death to us"
    assert joined(verse, book=f"{verse}\n\n" * 30) == [verse]


def test_addresses_keep_their_lines() -> None:
    assert joined("I am, dear Madam,\nYour most obedient\nJOHN WILLOUGHBY.") == [
        "I am, dear Madam,\nYour most obedient\nJOHN WILLOUGHBY."
    ]


def test_two_full_lines_with_capitals_are_prose() -> None:
    text = '"No," said Anne, "nor next week, nor next, nor next, I do assure you."\nCharles Hayter went away.'
    assert joined(text) == [text.replace("\n", " ")]


def test_a_word_broken_at_a_line_end_is_whole_where_the_book_knows_it() -> None:
    full = "so that in the end the old man said to all of them that they were hav-\ning a good time"
    assert joined(full, WIDE * 40 + "\nhaving") == [
        "so that in the end the old man said to all of them that they were having a good time"
    ]
    assert joined(full.replace("hav-\ning", "black-\nand-blue"))[0].endswith("black-and-blue a good time")
    assert joined(full.replace("hav-\ning", "came--\nand"))[0].endswith("came--and a good time")
    assert joined(full.replace("hav-\ning", "Anne-\nMarie"))[0].endswith("Anne- Marie a good time")


def test_the_hyphen_that_goes_is_noted() -> None:
    removals = Removals()
    lines = ["so that in the end the old man said to all of them that they were hav-", "ing a good time"]
    Joiner([*lines, "having", *(WIDE * 40).split("\n")], removals).join(lines)
    assert [(record["reason"], record["characters"]) for record in removals.records()] == [("hyphen at a line end", 1)]


def test_chinese_is_joined_without_spaces() -> None:
    line = "甄士隱夢幻識通靈賈雨村風塵懷閨秀" * 2
    assert joined(f"{line}\n{line}", book=f"{line}\n{line}\n{line}\n\n" * 20) == [line + line]


def test_korean_is_joined_with_spaces() -> None:
    lines = "그는 문을 열고 밖으로 나갔다. 바람이 불고\n있었다. 거리에는 아무도 없었고 낙엽만 땅\n위에서 돌고 있었다."
    assert joined(lines, f"{lines}\n\n" * 9) == [lines.replace("\n", " ")]


def test_a_word_broken_by_the_hyphen_of_unicode_is_whole() -> None:
    full = "so that in the end the old man said to all of them that they were hav\u2010\ning a good time"
    assert joined(full, WIDE * 40 + "\nhaving") == [full.replace("\u2010\n", "")]


def test_indented_first_lines_part_paragraphs_where_no_blank_line_does(prose: Callable[..., str]) -> None:
    paragraphs = prose(3000).split("\n\n")
    text = "\n".join(textwrap.fill(" ".join(paragraph.split()), 70, initial_indent="    ") for paragraph in paragraphs)
    assert joined(text) == [" ".join(paragraph.split()) for paragraph in paragraphs]


def test_lines_too_long_to_be_wrapped_are_paragraphs(prose: Callable[..., str]) -> None:
    paragraphs = [" ".join(paragraph.split()) for paragraph in prose(3000).split("\n\n")]
    assert joined("\n".join(paragraphs)) == paragraphs


@given(TEXTS)
def test_joining_whole_or_line_by_line_gives_the_same(text: str) -> None:
    joiner = Joiner(["going", "on"], Removals())
    for block in split_blocks(text.split("\n")):
        assert joiner._join(block) == joiner._join_one_by_one([line.strip() for line in block])


@given(LINES)
def test_the_words_of_a_book_are_those_of_the_pattern(lines: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paragraphs, "_LINES_AT_ONCE", 5)
        known = Joiner(lines, Removals())._words
    assert {word for word in known if word.isalpha()} == {
        word for word in paragraphs._WORD.findall("\n".join(lines).lower()) if word.isalpha()
    }


@given(LINES, st.lists(st.text(st.sampled_from("aBÉſΣİ語"), min_size=1, max_size=3)))
def test_a_word_is_known_whether_it_is_looked_for_or_listed(lines: list[str], words: list[str]) -> None:
    known = set(paragraphs._WORD.findall("\n".join(lines).lower()))
    for most_searches in (0, 2, 1000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paragraphs, "_MOST_SEARCHES", most_searches)
            joiner = Joiner(lines, Removals())
            assert [joiner._is_word(word.lower()) for word in words] == [word.lower() in known for word in words]


@given(TEXTS)
def test_joining_loses_nothing_but_noted_hyphens(text: str) -> None:
    removals = Removals()
    lines = text.split("\n")
    paragraphs = Joiner(lines, removals).join(lines).split("\n\n")
    removed = sum(record["characters"] for record in removals.records())
    assert ink("".join(paragraphs)) + removed == ink(text)
    assert all(paragraph.strip() == paragraph and "\n\n" not in paragraph for paragraph in paragraphs)


@given(TEXTS)
def test_lines_may_be_kept(text: str) -> None:
    kept = "\n\n".join(kept_paragraphs(text.split("\n")))
    assert ink(kept) == ink(text)
    assert [line.rstrip() for block in split_blocks(text.split("\n")) for line in block] == [
        line for line in kept.split("\n") if line
    ]


@given(TEXTS)
def test_plain_blocks_are_joined_as_they_are_line_by_line(text: str) -> None:
    lines = text.split("\n")
    joiner = Joiner([*lines, *(WIDE * 40).split("\n")], Removals())
    laid_out = [paragraph for block in split_blocks(lines) for paragraph in joiner._lay_out(block)]
    assert joiner.join(lines) == re.sub(" +", " ", "\n\n".join(laid_out))
