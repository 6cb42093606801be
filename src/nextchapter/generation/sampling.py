"""Drawing the next token from a model's distribution: what may come, how sharply, and then by chance.

The filters apply in this order: what would go on with a loop or repeat an n-gram is forbidden, the repetition penalty,
temperature, then top-k, top-p, min-p and typical, each on the distribution that the ones before have left. One text is
looked at at a time, as arrays of numpy: on a few thousand numbers that is faster than tensors are.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from nextchapter.spec.writing import WritingSpec

FORBIDDEN = -math.inf
LOOP_TIMES, LOOP_LEAST_TOKENS, LOOP_LONGEST_TOKENS = 3, 12, 40
"""A loop is a run of at most 40 tokens that stands three times in a row, and takes at least 12 tokens for that."""


class Sampler:
    """Draws the tokens of some texts that are written side by side, each from a generator of its own."""

    def __init__(self, spec: WritingSpec, rows: int) -> None:
        """Seed a generator for each row: what a row draws does not depend on how many there are."""
        self._spec = spec
        self._generators = [np.random.default_rng([spec.seed, row]) for row in range(rows)]

    def draw(
        self, log_probs: Float[np.ndarray, "row token"], written: Sequence[Sequence[int]], rows: Sequence[int]
    ) -> list[int]:
        """Return the next token of some rows.

        Args:
            log_probs: ln p(next token) in each, in nats, `FORBIDDEN` where a token may not come; changed in place.
            written: the tokens that stand before.
            rows: whose generators draw.
        """
        return [
            self._draw_one(row_log_probs, tokens, self._generators[row])
            for row_log_probs, tokens, row in zip(log_probs, written, rows, strict=True)
        ]

    def _draw_one(
        self, log_probs: Float[np.ndarray, " token"], written: Sequence[int], generator: np.random.Generator
    ) -> int:
        forbid_repetition(log_probs, written, self._spec)
        if self._spec.temperature == 0:
            return int(log_probs.argmax())
        probs = restrict(log_probs, self._spec)
        tokens = np.flatnonzero(probs > 0)
        cumulative = probs[tokens].cumsum(dtype=np.float64)
        return int(tokens[cumulative.searchsorted(generator.random() * cumulative[-1], side="right")])


def forbid_repetition(log_probs: Float[np.ndarray, " token"], written: Sequence[int], spec: WritingSpec) -> None:
    """Forbid, in place, what would go on with a loop or repeat an n-gram, and lower what was written shortly before."""
    forbid(log_probs, _repeating(written, spec))
    if spec.repetition_penalty > 1:
        penalise(log_probs, written[-spec.repetition_window :], spec.repetition_penalty)


def forbid(log_probs: Float[np.ndarray, " token"], tokens: set[int]) -> None:
    """Forbid some tokens, in place, unless nothing would be left."""
    if not tokens:
        return
    places = sorted(tokens)
    before = log_probs[places]
    log_probs[places] = FORBIDDEN
    if log_probs.max() == FORBIDDEN:
        log_probs[places] = before


def penalise(log_probs: Float[np.ndarray, " token"], tokens: Sequence[int], penalty: float) -> None:
    """Multiply ln p of tokens that were written by a penalty above 1, in place: p becomes p^penalty.

    After Keskar et al. (2019), who divide logits, whose zero is arbitrary; ln p has none above 0. A token that was
    written twice is penalised once.
    """
    places = np.asarray(tokens, dtype=np.intp)
    log_probs[places] = log_probs[places] * penalty


def restrict(log_probs: Float[np.ndarray, " token"], spec: WritingSpec) -> Float[np.ndarray, " token"]:
    """Return p up to a factor, sharpened, and 0 where a token is not to come.

    Args:
        log_probs: ln p(next token), in nats.
        spec: which filters; its temperature is above 0.
    """
    probs = np.exp((log_probs - log_probs.max()) / spec.temperature)
    probs = keep_top_p(keep_top_k(probs, spec.top_k), spec.top_p)
    return keep_typical(keep_min_p(probs, spec.min_p), spec.typical_p)


def keep_top_k(probs: Float[np.ndarray, " token"], top_k: int | None) -> Float[np.ndarray, " token"]:
    """Keep the `top_k` likeliest tokens; ties stay."""
    if top_k is None or top_k >= len(probs):
        return probs
    weakest: float = np.partition(probs, -top_k)[-top_k]
    return probs * (probs >= weakest)


def keep_top_p(probs: Float[np.ndarray, " token"], top_p: float) -> Float[np.ndarray, " token"]:
    """Keep the fewest likeliest tokens that together hold `top_p` (Holtzman et al., 2020); ties stay.

    Tokens below (1 - top_p) / V hold less than 1 - top_p together, so that none of them is kept: only those above are
    sorted.
    """
    if top_p >= 1:
        return probs
    mass = probs.sum(dtype=np.float64)
    likely = probs[probs >= (1 - top_p) * mass / len(probs)]
    likely.sort()
    count = likely[::-1].cumsum(dtype=np.float64).searchsorted(top_p * mass)  # so many hold less than top_p
    weakest: float = likely[-1 - min(count, len(likely) - 1)]
    return probs * (probs >= weakest)


def keep_min_p(probs: Float[np.ndarray, " token"], min_p: float) -> Float[np.ndarray, " token"]:
    """Keep the tokens at least `min_p` times as likely as the likeliest (Nguyen et al., 2024, arXiv 2407.01082)."""
    return probs if min_p <= 0 else probs * (probs >= min_p * probs.max())


def keep_typical(probs: Float[np.ndarray, " token"], typical_p: float) -> Float[np.ndarray, " token"]:
    """Keep the tokens whose surprise is nearest to the entropy, up to a mass (Meister et al., 2023, arXiv 2202.00666).

    Both the dull and the far-fetched go: |-ln p - H| orders the tokens, and the first that hold `typical_p` stay.
    """
    if typical_p >= 1:
        return probs
    tokens = np.flatnonzero(probs > 0)
    shares = probs[tokens] / probs.sum(dtype=np.float64)
    surprises = -np.log(shares)
    order = np.abs(surprises - (shares * surprises).sum()).argsort(kind="stable")
    kept = tokens[order[: 1 + shares[order].cumsum().searchsorted(typical_p)]]
    left = np.zeros_like(probs)
    left[kept] = probs[kept]
    return left


def repeated_by(tokens: Sequence[int], order: int) -> set[int]:
    """Return the tokens that would make an n-gram stand a second time (Paulus et al., 2018, section 2.5)."""
    context = list(tokens[len(tokens) - order + 1 :])
    starts = range(len(tokens) - order + 1)
    return {tokens[start + order - 1] for start in starts if list(tokens[start : start + order - 1]) == context}


def looped_by(tokens: Sequence[int]) -> int | None:
    """Return the token that would go on with a loop at the end of what was written; None where there is none."""
    for period in range(1, min(LOOP_LONGEST_TOKENS, len(tokens) - 1) + 1):
        if tokens[-1] != tokens[-1 - period]:
            continue
        length = max(LOOP_TIMES * period, LOOP_LEAST_TOKENS)
        if len(tokens) >= length and tokens[-length:-period] == tokens[period - length :]:
            return tokens[-period]
    return None


def _repeating(tokens: Sequence[int], spec: WritingSpec) -> set[int]:
    """Return the tokens that may not come since they would repeat what was written."""
    forbidden: set[int] = set()
    if spec.no_repeat_ngram is not None and len(tokens) >= spec.no_repeat_ngram:
        forbidden |= repeated_by(tokens, spec.no_repeat_ngram)
    if spec.loop_guard and (token := looped_by(tokens)) is not None:
        forbidden.add(token)
    return forbidden
