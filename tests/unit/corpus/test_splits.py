from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.books import Entry
from nextchapter.corpus.splits import ShelfTooSmallError, assign_splits

SHELVES = st.lists(st.lists(st.integers(1, 40_000), min_size=1, max_size=60), min_size=1, max_size=6)


def shelf_of(*books: list[int], names: str = "abcdefgh") -> list[Entry]:
    """Return books of chapters with the given lengths, no two texts alike."""
    return [
        Entry(names[place], number, "", length, length // 5, f"{names[place]} {number} {length}")
        for place, lengths in enumerate(books)
        for number, length in enumerate(lengths, start=1)
    ]


@given(SHELVES, st.floats(0.01, 0.3), st.floats(0.01, 0.3), st.integers(0, 100))
def test_every_chapter_has_one_split_and_no_split_is_empty(
    lengths: list[list[int]], valid: float, test: float, seed: int
) -> None:
    chapters = shelf_of(*lengths)
    if len(chapters) < 3:
        with pytest.raises(ShelfTooSmallError, match=f"found {len(chapters)}"):
            assign_splits(chapters, valid, test, seed)
        return
    splits = assign_splits(chapters, valid, test, seed)
    assert len(splits) == len(chapters)
    assert set(splits) == {"train", "valid", "test"}
    assert assign_splits(chapters, valid, test, seed) == splits


@pytest.mark.parametrize("lengths", [[[5], [6], [7]], [[9, 8, 7]], [[5, 5, 5, 5, 5]], [[3, 3], [3]]])
def test_small_shelves_give_each_split_a_chapter(lengths: list[list[int]]) -> None:
    for seed in range(50):
        counts = Counter(assign_splits(shelf_of(*lengths), 0.08, 0.08, seed))
        assert min(counts[split] for split in ("train", "valid", "test")) >= 1


def test_shares_are_right_on_average_and_near_each_time() -> None:
    chapters = shelf_of([10_000 + 137 * n for n in range(50)], [16_000 - 101 * n for n in range(55)], [20_000] * 24)
    total = sum(chapter.characters for chapter in chapters)
    shares = []
    for seed in range(300):
        splits = assign_splits(chapters, 0.08, 0.12, seed)
        share = [
            sum(c.characters for c, own in zip(chapters, splits, strict=True) if own == s) / total
            for s in ("valid", "test")
        ]
        shares.append(share)
    means = [sum(column) / len(shares) for column in zip(*shares, strict=True)]
    assert means == pytest.approx([0.08, 0.12], abs=0.003)
    assert all(abs(valid - 0.08) < 0.035 and abs(test - 0.12) < 0.035 for valid, test in shares)


def test_many_short_books_are_sampled_too() -> None:
    counts = Counter(assign_splits(shelf_of(*[[100] * 2] * 8), 0.25, 0.25, 1))
    assert counts["valid"] + counts["test"] in range(4, 13)


def test_splits_are_spread_over_the_books() -> None:
    chapters = shelf_of([1000] * 50, [1000] * 50)
    for seed in range(20):
        splits = assign_splits(chapters, 0.1, 0.1, seed)
        for book in "ab":
            own = {split for chapter, split in zip(chapters, splits, strict=True) if chapter.book == book}
            assert own == {"train", "valid", "test"}


def test_a_book_that_joins_moves_no_chapter_of_the_others() -> None:
    before = shelf_of([900] * 30, [800] * 40)
    after = [*before[:30], *shelf_of([700] * 50, names="z"), *before[30:]]
    old = {(c.book, c.chapter): split for c, split in zip(before, assign_splits(before, 0.1, 0.1, 3), strict=True)}
    new = {(c.book, c.chapter): split for c, split in zip(after, assign_splits(after, 0.1, 0.1, 3), strict=True)}
    assert {key: split for key, split in new.items() if key[0] != "z"} == old


def test_another_seed_gives_other_splits() -> None:
    chapters = shelf_of([900] * 60)
    assert assign_splits(chapters, 0.1, 0.1, 1) != assign_splits(chapters, 0.1, 0.1, 2)
