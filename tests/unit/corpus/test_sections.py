from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.removals import ink
from nextchapter.corpus.sections import SECTION_CHARACTERS, cut_sections


def test_sections_are_of_similar_length_and_end_with_paragraphs(prose: Callable[..., str]) -> None:
    text = prose(100_000)
    sections = cut_sections(text)
    assert "\n\n".join(sections) == text
    assert len(sections) == round(len(text) / SECTION_CHARACTERS)
    assert all(0.8 < len(section) / SECTION_CHARACTERS < 1.2 for section in sections)


def test_a_short_text_is_one_section() -> None:
    assert cut_sections("One.\n\nTwo.") == ["One.\n\nTwo."]


@pytest.mark.parametrize("unit", ["He went. ", "word ", "語", "x"])
def test_a_paragraph_without_end_is_divided(unit: str) -> None:
    text = (unit * 100_000)[:100_000].strip()
    sections = cut_sections(text)
    assert len(sections) == 8
    assert ink("".join(sections)) == ink(text)
    assert unit != "He went. " or all(section.endswith(".") for section in sections[:-1])


@given(st.lists(st.integers(1, 9000), min_size=1, max_size=30))
def test_no_paragraph_is_lost_or_moved(lengths: list[int]) -> None:
    text = "\n\n".join(f"{place}" * length for place, length in enumerate(lengths))
    assert ink("".join(cut_sections(text))) == ink(text)
    assert "".join("".join(cut_sections(text)).split()) == "".join(text.split())
