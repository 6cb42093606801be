import math

import pytest
import torch

from nextchapter.generation.sampling import (
    FORBIDDEN,
    Sampler,
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

PROBABILITIES = torch.tensor([[0.05, 0.5, 0.15, 0.3], [0.25, 0.25, 0.25, 0.25]])


def _kept(log_probs: torch.Tensor) -> list[list[int]]:
    return [[token for token, value in enumerate(row) if value > -math.inf] for row in log_probs.tolist()]


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.4, [1]), (0.5, [1]), (0.51, [1, 3]), (0.8, [1, 3]), (0.9, [1, 2, 3]), (1.0, [0, 1, 2, 3]), (1e-9, [1])],
)
def test_top_p_keeps_the_fewest_tokens_that_hold_it(top_p: float, kept: list[int]) -> None:
    assert _kept(keep_top_p(PROBABILITIES.log().double(), top_p))[0] == kept


def test_top_k_keeps_the_likeliest_and_ties() -> None:
    assert _kept(keep_top_k(PROBABILITIES.log(), 2)) == [[1, 3], [0, 1, 2, 3]]
    assert torch.equal(keep_top_k(PROBABILITIES.log(), None), PROBABILITIES.log())


@pytest.mark.parametrize("top_p", [0.2, 0.7, 0.999999])
def test_top_p_of_a_large_vocabulary_is_that_of_a_full_sort(top_p: float) -> None:
    log_probs = torch.randn(3, 5000, generator=torch.Generator().manual_seed(1), dtype=torch.float64).log_softmax(-1)
    for row, kept in zip(log_probs.exp(), _kept(keep_top_p(log_probs, top_p)), strict=True):
        mass, expected = 0.0, []
        for token in row.argsort(descending=True).tolist():
            if mass >= top_p:
                break
            expected.append(token)
            mass += row[token].item()
        assert kept == sorted(expected)


def test_min_p_is_measured_by_the_likeliest() -> None:
    assert _kept(keep_min_p(PROBABILITIES.log(), 0.31)) == [[1, 3], [0, 1, 2, 3]]
    assert _kept(keep_min_p(PROBABILITIES.log(), 0.09)) == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_typical_keeps_those_nearest_to_the_entropy() -> None:
    """H = 1.1424 nats; the surprises 3.00, 0.69, 1.90, 1.20 lie 1.85, 0.45, 0.75 and 0.06 from it."""
    log_probs = PROBABILITIES.log().double()
    assert [_kept(keep_typical(log_probs, mass))[0] for mass in (0.2, 0.29, 0.31, 0.81, 1.0)] == [
        [3],
        [3],
        [1, 3],
        [1, 2, 3],
        [0, 1, 2, 3],
    ]


def test_forbidden_tokens_are_no_part_of_what_is_typical() -> None:
    barred = PROBABILITIES.log().double()[:1].clone()
    barred[0, 1] = FORBIDDEN
    assert 1 not in _kept(keep_typical(barred, 0.99))[0]


def test_a_penalty_is_a_power_of_the_probability() -> None:
    log_probs = PROBABILITIES[0].log()
    found = penalise(log_probs, [3, 3, 0], 2.0).exp()
    torch.testing.assert_close(found, torch.tensor([0.0025, 0.5, 0.15, 0.09]))


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
    only = torch.tensor([[FORBIDDEN, 0.0, FORBIDDEN]])
    assert _kept(restrict(only, [[1] * 20], WritingSpec())) == [[1]]
    two = torch.tensor([[FORBIDDEN, -0.1, -5.0]])
    assert _kept(restrict(two.clone(), [[1] * 20], WritingSpec())) == [[2]]
    assert _kept(restrict(two.clone(), [[1] * 20], WritingSpec(loop_guard=False))) == [[1]]


def test_draws_follow_the_tempered_distribution() -> None:
    spec = WritingSpec(temperature=0.5, top_p=1.0, loop_guard=False)
    sampler, rows = Sampler(spec, 1), PROBABILITIES[:1].log()
    counts = torch.bincount(torch.tensor([sampler.draw(rows, [[]], [0])[0] for _ in range(20_000)])) / 20_000
    expected = PROBABILITIES[0] ** 2 / (PROBABILITIES[0] ** 2).sum()
    assert torch.allclose(counts, expected, atol=0.015)


def test_a_row_draws_the_same_whatever_stands_beside_it() -> None:
    spec, log_probs = WritingSpec(seed=4), PROBABILITIES[1:].log().expand(3, -1)
    together, alone = Sampler(spec, 3), Sampler(spec, 3)
    many = [together.draw(log_probs, [[]] * 3, [0, 1, 2]) for _ in range(30)]
    assert [row[2] for row in many] == [alone.draw(log_probs[:1], [[]], [2])[0] for _ in range(30)]
    assert [row[0] for row in many] != [row[2] for row in many]


def test_temperature_zero_takes_the_likeliest_and_forbidden_tokens_never_come() -> None:
    barred = PROBABILITIES.log().clone()
    barred[:, 1] = FORBIDDEN
    assert Sampler(WritingSpec(temperature=0), 1).draw(PROBABILITIES[:1].log(), [[]], [0]) == [1]
    sampler = Sampler(WritingSpec(temperature=1.0, top_p=0.99), 1)
    assert 1 not in {sampler.draw(barred[:1], [[]], [0])[0] for _ in range(1000)}
    assert Sampler(WritingSpec(temperature=0), 1).draw(barred[:1], [[]], [0]) == [3]
