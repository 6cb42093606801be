import math

import pytest
import torch

from nextchapter.generation.sampling import FORBIDDEN, keep_top_k, keep_top_p, sample

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


def test_draws_follow_the_tempered_distribution() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = PROBABILITIES[:1].log().expand(20_000, -1)
    counts = torch.bincount(sample(rows, generator, temperature=0.5), minlength=4) / 20_000
    expected = PROBABILITIES[0] ** 2 / (PROBABILITIES[0] ** 2).sum()
    assert torch.allclose(counts, expected, atol=0.015)


def test_temperature_zero_takes_the_likeliest_and_forbidden_tokens_never_come() -> None:
    generator = torch.Generator().manual_seed(0)
    assert sample(PROBABILITIES[:1].log(), generator, temperature=0.0).tolist() == [1]
    barred = PROBABILITIES.log().clone()
    barred[:, 1] = FORBIDDEN
    drawn = sample(barred[:1].expand(2000, -1), generator, temperature=1.0, top_p=0.99)
    assert 1 not in drawn.tolist()
    assert sample(barred[:1], generator, temperature=0.0).tolist() == [3]
