import math

import numpy as np
import pytest

from nextchapter.generation.sampling import (
    FORBIDDEN,
    Sampler,
    forbid_repetition,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
    looped_by,
    penalise,
    repeated_by,
    restrict,
)
from nextchapter.spec.writing import WritingSpec

UNEVEN, EVEN = np.array([0.05, 0.5, 0.15, 0.3]), np.full(4, 0.25)


def _kept(probs: np.ndarray) -> list[int]:
    kept: list[int] = np.flatnonzero(probs).tolist()
    return kept


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.4, [1]), (0.5, [1]), (0.51, [1, 3]), (0.79, [1, 3]), (0.9, [1, 2, 3]), (1.0, [0, 1, 2, 3]), (1e-9, [1])],
)
def test_top_p_keeps_the_fewest_tokens_that_hold_it(top_p: float, kept: list[int]) -> None:
    for factor in (1, 64):  # the shares count, not what they add up to
        assert _kept(keep_top_p(factor * UNEVEN, top_p)) == kept


def test_top_k_keeps_the_likeliest_and_ties() -> None:
    assert _kept(keep_top_k(UNEVEN, 2)) == [1, 3]
    assert _kept(keep_top_k(EVEN, 2)) == [0, 1, 2, 3]
    assert _kept(keep_top_k(UNEVEN, 4)) == _kept(keep_top_k(UNEVEN, None)) == [0, 1, 2, 3]


@pytest.mark.parametrize("top_p", [0.2, 0.7, 0.9, 0.999999])
@pytest.mark.parametrize("spread_nats", [0.0, 1.0, 5.0])
def test_top_p_of_a_large_vocabulary_is_that_of_a_full_sort(top_p: float, spread_nats: float) -> None:
    probs = np.exp(spread_nats * np.random.default_rng(1).standard_normal(5000))
    mass, expected = 0.0, set()
    for token in np.argsort(-probs, kind="stable"):
        if mass >= top_p * probs.sum():
            break
        expected.add(int(token))
        mass += probs[token]
    if spread_nats == 0:
        expected = set(range(5000))  # ties stay
    assert set(_kept(keep_top_p(probs, top_p))) == expected


def test_min_p_is_measured_by_the_likeliest() -> None:
    assert _kept(keep_min_p(UNEVEN, 0.31)) == [1, 3]
    assert _kept(keep_min_p(UNEVEN, 0.09)) == [0, 1, 2, 3]
    assert _kept(keep_min_p(EVEN, 0.31)) == [0, 1, 2, 3]


def test_typical_keeps_those_nearest_to_the_entropy() -> None:
    """H = 1.1424 nats; the surprises 3.00, 0.69, 1.90, 1.20 lie 1.85, 0.45, 0.75 and 0.06 from it."""
    assert [_kept(keep_typical(8 * UNEVEN, mass)) for mass in (0.2, 0.29, 0.31, 0.81, 1.0)] == [
        [3],
        [3],
        [1, 3],
        [1, 2, 3],
        [0, 1, 2, 3],
    ]


def test_forbidden_tokens_are_no_part_of_what_is_typical() -> None:
    """Without the second token H = 0.8979 nats; the surprises 2.30, 1.20, 0.51 lie 1.40, 0.31 and 0.39 from it."""
    barred = UNEVEN * [1, 0, 1, 1]
    assert [_kept(keep_typical(barred, mass)) for mass in (0.25, 0.85, 0.99)] == [[2], [2, 3], [0, 2, 3]]


def test_the_filters_follow_each_other_on_what_is_left() -> None:
    """Of the three likeliest the first has 0.5 of 0.95: top-p of 0.52 then keeps it alone."""
    spec = WritingSpec(temperature=1.0, top_k=3, top_p=0.52, repetition_penalty=1.0)
    assert _kept(restrict(np.log(UNEVEN), spec)) == [1]
    assert _kept(restrict(np.log(UNEVEN), spec.model_copy(update={"top_k": None}))) == [1, 3]


def test_a_penalty_is_a_power_of_the_probability() -> None:
    log_probs = np.log(UNEVEN)
    penalise(log_probs, [3, 3, 0], 2.0)
    np.testing.assert_allclose(np.exp(log_probs), [0.0025, 0.5, 0.15, 0.09])


@pytest.mark.parametrize(
    ("tokens", "order", "expected"),
    [
        ([1, 2, 3, 1, 2], 3, {3}),
        ([1, 2, 3, 1, 2, 4, 1, 2], 3, {3, 4}),
        ([1, 2], 3, set()),
        ([5, 5], 2, {5}),
        ([], 2, set()),
    ],
)
def test_what_would_repeat_an_n_gram(tokens: list[int], order: int, expected: set[int]) -> None:
    assert repeated_by(tokens, order) == expected


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ([7] * 12, 7),
        ([7] * 11, None),
        ([0, 9, *[1, 2, 3, 4] * 3], 1),
        ([*[1, 2, 3, 4] * 3, 1], 2),
        ([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3], None),
        ([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3, 4], None),
        (list(range(40)) * 3, 0),
        (list(range(41)) * 3, None),
        ([3], None),
        ([], None),
    ],
)
def test_a_loop_is_seen_once_it_stands_three_times(tokens: list[int], expected: int | None) -> None:
    assert looped_by(tokens) == expected


def test_a_loop_goes_on_where_there_is_nothing_else() -> None:
    def left(log_probs: list[float], spec: WritingSpec) -> list[int]:
        rows = np.array(log_probs)
        forbid_repetition(rows, [1] * 20, spec)
        return np.flatnonzero(rows > FORBIDDEN).tolist()

    assert left([FORBIDDEN, 0.0, FORBIDDEN], WritingSpec()) == [1]
    assert left([FORBIDDEN, -0.1, -5.0], WritingSpec()) == [2]
    assert left([FORBIDDEN, -0.1, -5.0], WritingSpec(loop_guard=False)) == [1, 2]


def _draw(sampler: Sampler, probs: np.ndarray, row: int = 0) -> int:
    [token] = sampler.draw(_log(probs)[None], [[]], [row])
    return token


def _log(probs: np.ndarray) -> np.ndarray:
    return np.array([math.log(p) if p else FORBIDDEN for p in probs])


def test_draws_follow_the_tempered_distribution() -> None:
    sampler = Sampler(WritingSpec(temperature=0.5, top_p=1.0, loop_guard=False), 1)
    counts = np.bincount([_draw(sampler, UNEVEN) for _ in range(20_000)])
    np.testing.assert_allclose(counts / 20_000, UNEVEN**2 / (UNEVEN**2).sum(), atol=0.015)


def test_a_row_draws_the_same_whatever_stands_beside_it() -> None:
    spec = WritingSpec(seed=4)
    together, alone = Sampler(spec, 3), Sampler(spec, 3)
    many = [together.draw(np.log([EVEN] * 3), [[]] * 3, [0, 1, 2]) for _ in range(30)]
    assert [row[2] for row in many] == [_draw(alone, EVEN, row=2) for _ in range(30)]
    assert [row[0] for row in many] != [row[2] for row in many]


def test_temperature_zero_takes_the_likeliest_and_forbidden_tokens_never_come() -> None:
    barred = UNEVEN * [1, 0, 1, 1]
    assert _draw(Sampler(WritingSpec(temperature=0, typical_p=0.2), 1), UNEVEN) == 1
    assert _draw(Sampler(WritingSpec(temperature=0), 1), barred) == 3
    sampler = Sampler(WritingSpec(temperature=1.0, top_p=0.99), 1)
    assert 1 not in {_draw(sampler, barred) for _ in range(1000)}
