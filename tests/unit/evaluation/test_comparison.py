import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nextchapter.evaluation.comparison import adjust_holm, compare_pairs, shared_ranks
from nextchapter.evaluation.intervals import Blocks

LN_2 = math.log(2)


def blocks_of(nats: np.ndarray, characters: np.ndarray | float = 1000.0, chapters: np.ndarray | None = None) -> Blocks:
    """Return blocks; unless said otherwise each is a chapter of its own, so that none has a neighbour."""
    count = len(nats)
    return Blocks(nats, np.broadcast_to(characters, count), np.arange(count) if chapters is None else chapters)


def compare_two(first: Blocks, second: Blocks) -> "pd.Series[float]":
    return compare_pairs(["a", "b"], [first, second]).iloc[0]


def test_blocks_of_one_size_without_neighbours_give_the_paired_t_test() -> None:
    generator = np.random.default_rng(0)
    hard = generator.normal(2000.0, 300.0, size=40)
    first, second = (hard + generator.normal(mean, 25.0, size=40) for mean in (0.0, 12.0))
    row = compare_two(blocks_of(first), blocks_of(second))
    expected = stats.ttest_rel(second, first)
    low, high = expected.confidence_interval(0.95)
    assert row["p"] == pytest.approx(expected.pvalue)
    assert row["difference"] == pytest.approx((second - first).mean() / 1000 / LN_2)
    assert (row["low"], row["high"]) == pytest.approx((low / 1000 / LN_2, high / 1000 / LN_2))


def test_the_p_value_is_that_of_flipping_all_signs_in_every_way() -> None:
    """The exact permutation test of 14 paired blocks, by enumeration (Fisher, 1935)."""
    generator = np.random.default_rng(4)
    hard = generator.normal(2000.0, 300.0, size=14)
    for shift in (4.0, 9.0, 16.0):
        second = hard + generator.normal(shift, 20.0, size=14)
        difference = second - hard
        flips = np.array(list(itertools.product([-1, 1], repeat=14)))
        exact = np.mean(np.abs(flips @ difference) >= abs(difference.sum()) - 1e-9)
        assert compare_two(blocks_of(hard), blocks_of(second))["p"] == pytest.approx(exact, abs=0.02)


def test_the_interval_is_that_of_the_paired_bootstrap() -> None:
    generator = np.random.default_rng(1)
    characters = generator.integers(1500, 2500, size=120)
    first = characters * generator.normal(1.0, 0.1, size=120)
    second = first + characters * generator.normal(0.02, 0.03, size=120)
    row = compare_two(blocks_of(first, characters), blocks_of(second, characters))
    drawn = generator.integers(120, size=(20_000, 120))
    differences = (second - first)[drawn].sum(axis=1) / characters[drawn].sum(axis=1) / LN_2
    low, high = np.quantile(differences, [0.025, 0.975])
    assert row["low"] == pytest.approx(low, abs=0.03 * (high - low))
    assert row["high"] == pytest.approx(high, abs=0.03 * (high - low))


def rejections(trials: int, count: int, chapter_blocks: int, persistence: float, seed: int) -> float:
    """Return how often two models that are equal are told apart at 5 %.

    The difference of a block takes over a part of that of the block before it, within chapters.
    """
    generator = np.random.default_rng(seed)
    chapters = np.arange(count) // chapter_blocks
    rejected = 0
    for _ in range(trials):
        hard = generator.normal(2000.0, 300.0, size=count)
        noise = generator.standard_t(5, size=count) * 20
        for place in range(1, count):
            if chapters[place] == chapters[place - 1]:
                noise[place] = persistence * noise[place - 1] + math.sqrt(1 - persistence**2) * noise[place]
        characters = generator.integers(1900, 2100, size=count)
        pair = blocks_of(hard, characters, chapters), blocks_of(hard + noise, characters, chapters)
        rejected += compare_two(*pair)["p"] < 0.05
    return rejected / trials


def test_equal_models_are_told_apart_5_times_in_100() -> None:
    assert rejections(600, count=90, chapter_blocks=1, persistence=0.0, seed=2) == pytest.approx(0.05, abs=0.025)


def test_blocks_that_take_after_their_neighbours_do_not_mislead() -> None:
    assert rejections(600, count=96, chapter_blocks=8, persistence=0.0, seed=3) <= 0.075
    assert rejections(600, count=96, chapter_blocks=8, persistence=0.3, seed=3) <= 0.085


def test_a_run_does_not_differ_from_itself_and_one_block_tells_nothing() -> None:
    blocks = blocks_of(np.random.default_rng(0).normal(2000.0, 300.0, size=30))
    row = compare_two(blocks, blocks)
    assert (row["difference"], row["p"], row["p_holm"]) == (0.0, 1.0, 1.0)
    row = compare_two(blocks_of(np.array([1.0])), blocks_of(np.array([2.0])))
    assert row["p"] == 1.0
    assert math.isnan(row["low"])


def test_a_difference_that_is_the_same_in_every_block_is_certain() -> None:
    nats = np.random.default_rng(0).normal(2000.0, 300.0, size=30)
    assert compare_two(blocks_of(nats), blocks_of(nats + 1.0))["p"] < 1e-12


def test_runs_on_other_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="same blocks"):
        compare_pairs(["a", "b"], [blocks_of(np.ones(3)), blocks_of(np.ones(4))])


def test_every_pair_is_compared_once_the_better_run_first() -> None:
    generator = np.random.default_rng(0)
    blocks = [blocks_of(generator.normal(2000.0 + 10 * place, 30.0, size=50)) for place in range(4)]
    table = compare_pairs(["a", "b", "c", "d"], blocks)
    pairs = list(zip(table["better"], table["worse"], strict=True))
    assert pairs == list(itertools.combinations("abcd", 2))
    alone = [compare_two(blocks["abcd".index(one)], blocks["abcd".index(two)])["p"] for one, two in pairs]
    assert table["p"].to_list() == pytest.approx(alone)
    assert compare_pairs(["a"], blocks[:1]).empty


def test_holm_s_adjustment_of_a_hand_worked_case() -> None:
    """Holm (1979): the smallest of four times 4, the next times 3, and none below the one before."""
    assert adjust_holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_holm(np.array([0.6, 0.9])) == pytest.approx([1.0, 1.0])
    assert len(adjust_holm(np.array([]))) == 0


def test_a_run_shares_the_rank_of_the_leader_and_not_of_those_that_share_it() -> None:
    significant = {
        ("a", "b"): 0.4,
        ("a", "c"): 0.01,
        ("b", "c"): 0.3,
        ("a", "d"): 0.01,
        ("b", "d"): 0.02,
        ("c", "d"): 1.0,
    }
    rows = [(better, worse, p) for (better, worse), p in significant.items()]
    table = pd.DataFrame(rows, columns=["better", "worse", "p_holm"])
    assert shared_ranks(["a", "b", "c", "d"], table) == [1, 1, 3, 3]
    assert shared_ranks(["a"], table[:0]) == [1]
