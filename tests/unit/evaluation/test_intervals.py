import math

import numpy as np
import pytest

from nextchapter.evaluation.intervals import Blocks, bootstrap_interval, cut_blocks


def test_blocks_are_sums_of_neighbours_and_never_cross_a_chapter() -> None:
    nats = [np.arange(10.0), np.array([100.0, 200.0])]
    characters = [np.full(10, 2), np.array([1, 0])]
    blocks = cut_blocks(nats, characters, block_tokens=5)
    assert blocks.nats.tolist() == [10.0, 35.0, 300.0]
    assert blocks.characters.tolist() == [10, 10, 1]


@pytest.mark.parametrize(("length", "blocks"), [(7, [7]), (8, [4, 4]), (13, [4, 4, 5]), (1, [1])])
def test_a_short_rest_joins_its_neighbours(length: int, blocks: list[int]) -> None:
    ones = [np.ones(length)]
    assert cut_blocks(ones, [np.ones(length, int)], block_tokens=5).nats.tolist() == blocks


def test_the_interval_agrees_with_the_normal_one_where_blocks_are_alike() -> None:
    generator = np.random.default_rng(0)
    nats = generator.normal(100.0, 10.0, size=400)
    low, high = bootstrap_interval(Blocks(nats, np.full(400, 50)), draws=20_000, seed=1) or (0.0, 0.0)
    centre, spread = nats.mean() / 50 / math.log(2), nats.std() / math.sqrt(400) / 50 / math.log(2)
    assert low == pytest.approx(centre - 1.96 * spread, abs=0.1 * spread)
    assert high == pytest.approx(centre + 1.96 * spread, abs=0.1 * spread)


def test_the_interval_covers_the_truth_about_95_times_in_100() -> None:
    generator = np.random.default_rng(3)
    truth, hits = 2.0 / math.log(2), 0
    for trial in range(300):
        characters = generator.integers(30, 70, size=60)
        nats = characters * (2.0 + 0.3 * generator.standard_normal(60))
        interval = bootstrap_interval(Blocks(nats, characters), draws=400, seed=trial)
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]
    assert 0.90 <= hits / 300 <= 0.98


def test_the_same_seed_draws_the_same_interval() -> None:
    blocks = Blocks(np.arange(1.0, 31.0), np.arange(2, 32))
    assert bootstrap_interval(blocks, 500, seed=1) == bootstrap_interval(blocks, 500, seed=1)
    assert bootstrap_interval(blocks, 500, seed=1) != bootstrap_interval(blocks, 500, seed=2)


def test_one_block_has_no_interval() -> None:
    assert bootstrap_interval(Blocks(np.ones(1), np.ones(1, int)), 500, seed=1) is None
