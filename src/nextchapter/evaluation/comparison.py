"""Whether the difference between two runs is more than chance: a paired test on the same blocks of text.

Of each block both runs have a loss, and what makes one block harder than another takes part in both: the difference is
far better known than either score. With e_b what block b adds to the difference of the two scores beyond its share,

    var = n / (n - 1) sum over b of e_b^2 + sum over neighbours of e_b e_{b+1},    t = difference / sqrt(var)

the first sum being that of the paired t-test (of a ratio, by linearisation: Cochran, 1977, section 6.4), the second the
covariance of neighbouring blocks of a chapter, where it is positive, with Bartlett's weight for one lag (Newey and
West, 1987). As a test of two forecasts it is that of Diebold and Mariano (1995) with the t distribution of Harvey,
Leybourne and Newbold (1997).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from nextchapter.evaluation.intervals import Blocks

LEVEL = 0.05
"""A difference is significant where chance would bring it about less often."""
ROUNDING = 1e-8
"""Bits a character that rounding may leave between two runs that are the same."""
COLUMNS = ("better", "worse", "difference", "low", "high", "p", "p_holm")


def compare_pairs(runs: Sequence[str], blocks: Sequence[Blocks]) -> pd.DataFrame:
    """Return the difference of each two runs in bits a character, with interval and p-value, a row a pair.

    Args:
        runs: names, best first.
        blocks: of each run, cut at the same places.

    Returns:
        `better` stands before `worse` in the list of runs; `difference` is what the worse one needs more; `low` and
        `high` are its 95 % interval, `p` is two-sided, `p_holm` adjusted for the number of pairs. One block tells
        nothing: p is then 1, and the interval missing.

    Raises:
        ValueError: the blocks are not those of the same chapters.
    """
    chapters = blocks[0].chapters
    if any(not np.array_equal(other.chapters, chapters) for other in blocks):
        raise ValueError("the runs were not scored on the same blocks of the same chapters")
    better, worse = np.triu_indices(len(runs), k=1)
    count = len(chapters)
    scores, influences = (np.stack(parts) for parts in zip(*map(_influence, blocks), strict=True))
    difference = scores[worse] - scores[better]
    error = np.sqrt(_pair_variances(influences, chapters)[better, worse])
    reach = stdtrit(count - 1, 1 - LEVEL / 2) * error if count > 1 else np.full(len(error), np.nan)
    p = _p_values(difference, error, count)
    names = np.array(runs, dtype=object)
    columns = (names[better], names[worse], difference, difference - reach, difference + reach, p, adjust_holm(p))
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def _influence(blocks: Blocks) -> tuple[float, np.ndarray]:
    """Return bits a character, and what each block adds to them beyond its share."""
    characters = blocks.characters.sum()
    nats_per_character = blocks.nats.sum() / characters
    beyond = (blocks.nats - nats_per_character * blocks.characters) / characters
    return float(nats_per_character / np.log(2)), beyond / np.log(2)


def _pair_variances(influences: np.ndarray, chapters: np.ndarray) -> np.ndarray:
    """Return the variance of the difference of each two runs, float64 [run run], from influences [run block]."""
    count = influences.shape[1]
    neighbours = np.flatnonzero(chapters[1:] == chapters[:-1])
    before, after = influences[:, neighbours], influences[:, neighbours + 1]
    own = _of_differences(influences @ influences.T) * count / max(1, count - 1)
    crossed = before @ after.T
    return np.asarray(np.maximum(own, 0) + np.maximum(_of_differences((crossed + crossed.T) / 2), 0))


def _of_differences(products: np.ndarray) -> np.ndarray:
    """Return (u_i - u_j) . (v_i - v_j) for each two rows, from the symmetric u_i . v_j."""
    own = np.diag(products)
    return np.asarray(own[:, None] + own[None, :] - 2 * products)


def _p_values(difference: np.ndarray, error: np.ndarray, count: int) -> np.ndarray:
    """Return two-sided p-values of the t distribution; 1 where nothing is known of the error."""
    if count < 2:
        return np.ones(len(difference))
    t = difference / np.maximum(error, ROUNDING)
    return np.asarray(2 * stdtr(count - 1, -np.abs(t)))


def adjust_holm(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted so that all tests together err in 5 of 100 studies at most (Holm, 1979)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def shared_ranks(runs: Sequence[str], comparisons: pd.DataFrame) -> list[int]:
    """Return the rank of each run: runs share one as long as what parts them from the best of them may be chance.

    The best run of a rank leads it. The next one shares the rank unless it is significantly worse than the leader; then
    its place in the list is its rank, and it leads this one.

    Args:
        runs: names, best first.
        comparisons: as `compare_pairs` returns it for these runs.
    """
    pairs = zip(comparisons["better"], comparisons["worse"], comparisons["p_holm"], strict=True)
    is_worse = {(better, worse): p < LEVEL for better, worse, p in pairs}
    ranks: list[int] = []
    leader = 0
    for place, run in enumerate(runs):
        if place and is_worse[runs[leader], run]:
            leader = place
        ranks.append(leader + 1)
    return ranks
