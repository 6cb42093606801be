from collections.abc import Callable, Sequence

import pytest

from nextchapter.corpus.chapters import Section, find_chapters
from nextchapter.corpus.document import heading_line
from nextchapter.corpus.outline import read_outline
from nextchapter.corpus.removals import Removals

Prose = Callable[..., str]


def outline(prose: Prose, parts: Sequence[tuple[int, str, int]]) -> list[str]:
    """Make lines of headings, each with a level and so many characters of prose behind it."""
    texts = [
        f"{heading_line(level, title)}\n\n{prose(size, place) if size else ''}"
        for place, (level, title, size) in enumerate(parts)
    ]
    return "\n\n".join(texts).split("\n")


def found(lines: list[str]) -> list[tuple[str, str, str]]:
    sections = find_chapters(lines, Removals())[1]
    assert not any("\x02" in line for section in sections for line in section.lines)
    return [(section.kind, section.volume, section.heading) for section in sections]


def chapters(volume: str, *headings: str) -> list[tuple[str, str, str]]:
    return [("chapter", volume, heading) for heading in headings]


def test_the_sign_of_a_heading_is_read_and_taken_off() -> None:
    assert read_outline(["a", heading_line(2, " I. "), heading_line(1, ""), "b"]) == (["a", "I.", "", "b"], {1: 2})


def test_numbers_among_the_headings_are_the_chapters(prose: Prose) -> None:
    parts = [
        (1, "Alice", 0),
        (2, "Contents", 0),
        (2, "CHAPTER I. Down", 3000),
        (3, "A Song", 900),
        (2, "CHAPTER II. Tears", 2000),
    ]
    parts += [(2, "CHAPTER III. A Race", 2500), (2, "License", 4000)]
    assert found(outline(prose, parts)) == chapters("", "CHAPTER I. Down", "CHAPTER II. Tears", "CHAPTER III. A Race")


def test_text_that_reads_like_headings_is_no_heading_where_the_format_marks_them(prose: Prose) -> None:
    lines = outline(prose, [(2, "I.", 3000), (2, "II.", 3000), (2, "III.", 3000)])
    lines[4:4] = ["", "CHAPTER I", "", "CHAPTER II", ""]
    sections = find_chapters(lines, Removals())[1]
    assert [section.heading for section in sections] == ["I.", "II.", "III."]
    assert "CHAPTER II" in sections[0].lines


def test_headings_without_numbers_divide_a_book_by_the_level_that_does_it_best(prose: Prose) -> None:
    titles = ["The Sisters", "An Encounter", "Araby", "Eveline"]
    parts = [
        (1, "Dubliners", 0),
        (2, "Copyright", 300),
        (2, "Dedication", 300),
        *((2, title, 4000) for title in titles),
    ]
    parts += [(3, "Later", 500), (2, "Acknowledgements", 900), (2, "About the Author", 900)]
    assert found(outline(prose, parts)) == chapters("", *titles)


def test_higher_headings_are_volumes(prose: Prose) -> None:
    parts = [(1, "Treasure Island", 0), (1, "The Old Buccaneer", 0), (2, "Chapter 1", 3000), (2, "Chapter 2", 3000)]
    parts += [(1, "The Sea Cook", 0), (2, "Chapter 3", 3000), (2, "Chapter 4", 3000)]
    assert found(outline(prose, parts)) == [
        *chapters("The Old Buccaneer", "Chapter 1", "Chapter 2"),
        *chapters("The Sea Cook", "Chapter 3", "Chapter 4"),
    ]


def test_parts_hold_the_chapters_where_the_next_level_has_nearly_all_text(prose: Prose) -> None:
    parts = [
        part
        for volume in ("Youth", "Age", "Home")
        for part in [
            (1, volume, 0),
            *((2, f"{volume} {place}", 14_000) for place in ("Morning", "Noon", "Evening", "Night")),
        ]
    ]
    expected = [
        item
        for volume in ("Youth", "Age", "Home")
        for item in chapters(volume, *(f"{volume} {place}" for place in ("Morning", "Noon", "Evening", "Night")))
    ]
    assert found(outline(prose, parts)) == expected


def test_sections_inside_chapters_are_no_chapters(prose: Prose) -> None:
    parts = [
        part
        for title in ("On Style", "On Verse", "On Prose")
        for part in [(1, title, 4000), (2, f"{title} in France", 3000), (2, f"{title} in Spain", 3000)]
    ]
    assert found(outline(prose, parts)) == chapters("", "On Style", "On Verse", "On Prose")


@pytest.mark.parametrize(("size", "of_stories"), [(2500, True), (30_000, False)])
def test_numbers_count_the_parts_of_stories_or_the_chapters_of_volumes_by_their_size(
    prose: Prose, size: int, of_stories: bool
) -> None:
    titles = ["The Sisters", "An Encounter", "Araby", "Eveline"]
    parts = [part for title in titles for part in [(2, title, 0), (3, "I.", size), (3, "II.", size)]]
    stories = chapters("", *titles)
    volumes = [chapter for title in titles for chapter in chapters(title, "I.", "II.")]
    assert found(outline(prose, parts)) == (stories if of_stories else volumes)


def test_what_an_author_puts_around_the_chapters_has_its_kind(prose: Prose) -> None:
    parts = [(2, "Preface", 900), (2, "Contents", 0), (2, "Prologue", 900), (2, "Chapter 1", 3000), (2, "Notes", 900)]
    parts += [
        (2, "Chapter 2", 3000),
        (2, "Chapter 3", 3000),
        (2, "Epilogue", 900),
        (2, "Index", 900),
        (2, "A Last Word", 900),
    ]
    assert found(outline(prose, parts)) == [
        ("preface", "", "Preface"),
        ("prologue", "", "Prologue"),
        *chapters("", "Chapter 1", "Chapter 2", "Chapter 3"),
        ("epilogue", "", "Epilogue"),
        ("afterword", "", "A Last Word"),
    ]


def test_the_name_of_matter_is_a_chapters_between_two_or_with_a_number(prose: Prose) -> None:
    titles = ["The Beginning", "Introduction", "Notes", "The End of It"]
    parts = [(1, "A Book", 0), *((2, title, 3000) for title in titles), (2, "Index", 900)]
    assert found(outline(prose, parts)) == chapters("", *titles)
    numbered = ["1 Introduction", "2 Methods", "3 Notes"]
    parts = [(2, "Introduction", 900), *((2, title, 3000) for title in numbered), (2, "Notes", 900)]
    assert found(outline(prose, parts)) == [("introduction", "", "Introduction"), *chapters("", *numbered)]
    at_the_ends = [(1, "Part", 0), (2, "Introduction", 900), (2, "Sun", 30_000), (2, "Moon", 30_000)]
    parts = [*at_the_ends, (2, "Notes", 900), (1, "Part B", 0), (2, "Star", 30_000), (2, "Sky", 30_000)]
    assert [kind for kind, _, _ in found(outline(prose, parts))] == ["introduction", *["chapter"] * 4]


def test_what_is_cut_out_is_noted(prose: Prose) -> None:
    removals = Removals()
    parts = [(2, "Chapter 1", 3000), (2, "Notes", 900), (2, "Chapter 2", 3000), (2, "Index", 900)]
    find_chapters(outline(prose, parts), removals)
    (record,) = removals.records()
    assert (record["reason"], record["count"]) == ("back matter", 2)
    assert record["sample"].startswith("Notes ")


@pytest.mark.parametrize("heading", ["The Whole Book", "By A. Writer"])
def test_headings_that_divide_nothing_leave_it_to_the_text(prose: Prose, heading: str) -> None:
    lines = outline(prose, [(1, heading, 300)])
    lines += "".join(f"\n\n\nCHAPTER {number}\n\n{prose(2000, number)}" for number in (1, 2, 3)).split("\n")
    assert found(lines) == chapters("", "CHAPTER 1", "CHAPTER 2", "CHAPTER 3")


def test_a_book_without_any_division_is_one_section_without_signs(prose: Prose) -> None:
    lines = outline(prose, [(1, "A Tale", 9000)])
    assert find_chapters(lines, Removals())[1] == [Section("", "", ["A Tale", *lines[1:]])]
