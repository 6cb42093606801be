import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nextchapter.corpus.books import read_chapters
from nextchapter.corpus.cleaning import clean_document
from nextchapter.corpus.duplicates import Duplicate, find_duplicates
from nextchapter.corpus.formats.plain import read_plain
from nextchapter.corpus.removals import Removals
from nextchapter.corpus.sketches import sketch_tables
from nextchapter.corpus.words import WORD

DATA = Path(__file__).resolve().parents[4] / "shared/data"


def five_grams(text: str) -> set[tuple[str, ...]]:
    words = WORD.findall(text.casefold())
    return {tuple(words[place : place + 5]) for place in range(len(words) - 4)}


def similarity_of(first: str, second: str) -> float:
    one, other = five_grams(first), five_grams(second)
    return len(one & other) / len(one | other)


def with_new_words(text: str, count: int, seed: int = 0) -> str:
    words = text.split(" ")
    for place in random.Random(seed).sample(range(len(words)), count):
        words[place] = f"new{place}"
    return " ".join(words)


@pytest.fixture
def search(write_shelf: Callable[..., list[Path]]) -> Callable[..., list[Duplicate]]:
    def find(shelf: dict[str, Sequence[str]], similarity: float = 0.8, books_per_table: int = 1) -> list[Duplicate]:
        return find_duplicates(sketch_tables(write_shelf(shelf, books_per_table)), list(shelf), similarity)

    return find


def test_on_a_shelf_without_copies_nothing_is_found(
    search: Callable[..., list[Duplicate]], sentences: Callable[..., str]
) -> None:
    assert search({name: [sentences(800, ord(name) + part) for part in (0, 50)] for name in "abcdef"}) == []


def test_the_first_of_equal_chapters_is_kept(
    search: Callable[..., list[Duplicate]], sentences: Callable[..., str]
) -> None:
    one, two, three = (sentences(300, seed) for seed in range(3))
    found = search({"b": [one, two], "a": [three, two, "* * *"], "c": ["* * *", one]})
    assert found == [
        Duplicate("a", 2, "b", 2, 1.0, "same"),
        Duplicate("c", 1, "a", 3, 1.0, "same"),
        Duplicate("c", 2, "b", 1, 1.0, "same"),
    ]


def test_texts_without_a_word_are_not_similar(search: Callable[..., list[Duplicate]]) -> None:
    assert search({"a": ["* * *"], "b": ["!"], "c": ["…"]}) == []


@pytest.mark.parametrize("words", [60, 400, 2500])
def test_a_chapter_is_similar_exactly_from_the_threshold_on(
    search: Callable[..., list[Duplicate]], sentences: Callable[..., str], words: int
) -> None:
    text = sentences(words)
    for count in range(1, words // 20, max(1, words // 100)):
        other = with_new_words(text, count)
        exact = similarity_of(text, other)
        found = search({"a": [text, sentences(4000, 1)], "b": [other, sentences(4000, 2)]})
        expected = [Duplicate("b", 1, "a", 1, exact, "similar")] if exact >= 0.8 else []
        assert [copy for copy in found if copy.kind == "similar"] == expected


def test_case_punctuation_and_line_breaks_make_no_difference(search: Callable[..., list[Duplicate]]) -> None:
    found = search({"a": ["The cat sat on the mat, and it slept."], "b": ["the CAT sat\non the mat -- and it slept!"]})
    assert found == [Duplicate("b", 1, "a", 1, 1.0, "similar")]


def test_a_book_cut_otherwise_is_left_out_as_a_whole(
    search: Callable[..., list[Duplicate]], sentences: Callable[..., str]
) -> None:
    words = sentences(9000).split()
    thirds = [" ".join(words[start : start + 3000]) for start in range(0, 9000, 3000)]
    fifths = [" ".join(words[start : start + 1800]) for start in range(0, 9000, 1800)]
    (found,) = search({"novel": thirds, "other edition": fifths})
    assert (found.book, found.chapter, found.same_as_book, found.kind) == ("other edition", None, "novel", "similar")
    assert found.similarity > 0.97
    assert search({"novel": thirds, "again": thirds}) == [Duplicate("again", None, "novel", None, 1.0, "same")]


def test_a_novel_after_the_collection_that_holds_it_goes_and_the_other_way_round_its_chapters_go(
    search: Callable[..., list[Duplicate]], sentences: Callable[..., str]
) -> None:
    novel = [sentences(3000, seed) for seed in (1, 2)]
    story = sentences(9000, 3)
    (found,) = search({"works": [*novel, story], "novel": novel})
    assert (found.book, found.chapter, found.same_as_book, found.kind) == ("novel", None, "works", "contained")
    assert found.similarity == 1.0
    assert search({"novel": novel, "works": [*novel, story]}) == [
        Duplicate("works", chapter, "novel", chapter, 1.0, "same") for chapter in (1, 2)
    ]
    (found,) = search({"novel": [" ".join(novel)], "works": [novel[0], story]})
    assert (found.book, found.chapter, found.same_as_book, found.same_as_chapter) == ("works", 1, "novel", None)
    assert found.kind == "contained"


def test_a_chapter_is_contained_only_if_the_book_really_holds_so_much_of_it(
    search: Callable[..., list[Duplicate]], sentences: Callable[..., str]
) -> None:
    chapter = sentences(2500)
    for count in (40, 60, 90, 110, 160):
        book = f"{sentences(4000, 1)} {with_new_words(chapter, count)} {sentences(4000, 2)}"
        exact = len(five_grams(chapter) & five_grams(book)) / len(five_grams(chapter))
        found = search({"book": [book], "other": [chapter, sentences(4000, 3)]})
        expected = [Duplicate("other", 1, "book", None, exact, "contained")]
        assert found in ([], expected)
        assert found == expected or exact < 0.9
        assert found == [] or exact >= 0.8


def test_neither_tables_nor_their_order_nor_processes_change_what_is_found(
    write_shelf: Callable[..., list[Path]], sentences: Callable[..., str]
) -> None:
    texts = [sentences(400, seed) for seed in range(6)]
    shelf = {f"book {place}": [with_new_words(text, 2, place), texts[place - 1]] for place, text in enumerate(texts)}
    separate, together = write_shelf(shelf), write_shelf(shelf, 4, "together")
    expected = find_duplicates(sketch_tables(separate), list(shelf), 0.8)
    assert len(expected) == 6
    for paths in (separate[::-1], together, together[::-1]):
        assert find_duplicates(sketch_tables(paths), list(shelf), 0.8) == expected
    turned = find_duplicates(sketch_tables(separate), list(shelf)[::-1], 0.8)
    assert {(copy.book, copy.same_as_book) for copy in turned} != {(copy.book, copy.same_as_book) for copy in expected}


def test_a_book_without_a_place_is_refused(write_shelf: Callable[..., list[Path]]) -> None:
    with pytest.raises(ValueError, match="stand nowhere on the shelf: \\['b'\\]"):
        find_duplicates(sketch_tables(write_shelf({"a": ["x"], "b": ["y"]})), ["a"], 0.8)


def test_an_empty_shelf_has_no_duplicates() -> None:
    assert find_duplicates([], [], 0.8) == []


def test_two_editions_of_a_real_book_are_told_from_its_sequel(write_shelf: Callable[..., list[Path]]) -> None:
    files = {"old": "messy/en_wizard-of-oz_1993_wizoz10.txt", "sequel": "oz/02_the-marvelous-land-of-oz_pg54.txt",
             "new": "oz/01_the-wonderful-wizard-of-oz_pg55.txt"}  # fmt: skip
    paths = {book: DATA / file for book, file in files.items()}
    if not all(path.is_file() for path in paths.values()):
        pytest.skip(f"the shared data is not beside this checkout: {DATA}")
    texts = {
        book: [part.text for part in clean_document(read_plain(path.read_bytes()), book, "", Removals()).chapters]
        for book, path in paths.items()
    }
    tables = write_shelf(texts)
    assert len(read_chapters(tables[0])) == 24
    (found,) = find_duplicates(sketch_tables(tables), list(texts), 0.8)
    assert (found.book, found.chapter, found.same_as_book) == ("new", None, "old")
    sets = [set().union(*map(five_grams, texts[book])) for book in ("old", "new")]
    exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    assert found.similarity == pytest.approx(exact, abs=0.02)
