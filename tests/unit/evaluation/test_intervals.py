import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from nextchapter.evaluation.intervals import (
    Blocks,
    block_borders,
    bootstrap_interval,
    cut_blocks,
    read_blocks,
    sum_before,
    write_blocks,
)


def blocks_of(nats: np.ndarray, characters: np.ndarray) -> Blocks:
    return Blocks(nats, characters, np.zeros(len(nats), int))


def test_blocks_are_sums_of_neighbours_and_never_cross_a_chapter() -> None:
    nats = [np.arange(10.0), np.array([100.0, 200.0])]
    characters = [np.full(10, 2), np.array([1, 0])]
    ends = [np.cumsum(chapter) for chapter in characters]
    blocks = cut_blocks(nats, characters, ends, block_characters=10)
    assert blocks.nats.tolist() == [10.0, 35.0, 300.0]
    assert blocks.characters.tolist() == [10, 10, 1]
    assert blocks.chapters.tolist() == [0, 0, 1]


@pytest.mark.parametrize(("length", "blocks"), [(7, [7]), (8, [4, 4]), (13, [4, 4, 5]), (1, [1]), (0, [0])])
def test_the_blocks_of_a_chapter_are_of_one_length(length: int, blocks: list[int]) -> None:
    assert np.diff(block_borders(length, 5)).tolist() == blocks


def spread_by_character(nats: np.ndarray, characters: np.ndarray) -> np.ndarray:
    """Return nats of each character, one by one: the independent answer."""
    charged: list[float] = []
    last = 1
    for cost, count in zip(nats, characters, strict=True):
        if count:
            charged += [cost / count] * int(count)
        else:
            for place in range(len(charged) - last, len(charged)):
                charged[place] += cost / last
        last = int(count) or last
    return np.array(charged)


def test_two_tokenizers_are_cut_at_the_same_characters_and_a_straddling_token_is_shared_out() -> None:
    generator = np.random.default_rng(5)
    for _ in range(50):
        characters = generator.integers(0, 6, size=40)
        characters[0] = 3
        nats = generator.exponential(size=40)
        by_character = spread_by_character(nats, characters)
        blocks = cut_blocks([nats], [characters], [np.cumsum(characters)], block_characters=17)
        borders = block_borders(int(characters.sum()), 17)
        expected = [by_character[low:high].sum() for low, high in itertools.pairwise(borders)]
        assert blocks.nats == pytest.approx(expected)
        assert blocks.characters == pytest.approx(np.diff(borders))


def test_a_token_without_characters_goes_with_the_one_before_it() -> None:
    ends, nats = np.array([0, 2, 4, 4, 6, 6]), np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    assert sum_before(np.array([0, 2, 3, 4, 5, 6]), ends, nats).tolist() == [0, 3, 9, 15, 39, 63]
    empty = cut_blocks([np.array([5.0])], [np.array([0])], [np.array([0])], block_characters=10)
    assert (empty.nats.tolist(), empty.characters.tolist()) == ([5.0], [0.0])


def test_blocks_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    blocks = Blocks(np.array([1 / 3, 2e-17]), np.array([2000.0, 1999.5]), np.array([0, 3]))
    write_blocks(tmp_path / "blocks.csv", blocks)
    for kept, read in zip(blocks, read_blocks(tmp_path / "blocks.csv"), strict=True):
        assert kept.tolist() == read.tolist()


def test_the_interval_agrees_with_the_normal_one_where_blocks_are_alike() -> None:
    generator = np.random.default_rng(0)
    nats = generator.normal(100.0, 10.0, size=400)
    low, high = bootstrap_interval(blocks_of(nats, np.full(400, 50)), draws=20_000, seed=1) or (0.0, 0.0)
    centre, spread = nats.mean() / 50 / math.log(2), nats.std() / math.sqrt(400) / 50 / math.log(2)
    assert low == pytest.approx(centre - 1.96 * spread, abs=0.1 * spread)
    assert high == pytest.approx(centre + 1.96 * spread, abs=0.1 * spread)


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    generator = np.random.default_rng(3)
    truth, hits = 2.0 / math.log(2), 0
    for trial in range(300):
        characters = generator.integers(30, 70, size=60)
        nats = characters * (2.0 + 0.3 * generator.standard_normal(60))
        interval = bootstrap_interval(blocks_of(nats, characters), draws=400, seed=trial)
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
    assert 0.90 <= hits / 300 <= 0.98


def test_the_same_seed_draws_the_same_interval() -> None:
    blocks = blocks_of(np.arange(1.0, 31.0), np.arange(2, 32))
    assert bootstrap_interval(blocks, 500, seed=1) == bootstrap_interval(blocks, 500, seed=1)
    assert bootstrap_interval(blocks, 500, seed=1) != bootstrap_interval(blocks, 500, seed=2)


def test_one_block_has_no_interval() -> None:
    assert bootstrap_interval(blocks_of(np.ones(1), np.ones(1, int)), 500, seed=1) is None
