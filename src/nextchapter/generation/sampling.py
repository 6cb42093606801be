"""Drawing the next token from a model's distribution: what may come, how sharply, and then by chance.

The filters apply in this order: what would go on with a loop or repeat an n-gram is forbidden, the repetition penalty,
top-k, temperature, then top-p, min-p and typical, each on the distribution that the ones before have left.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nextchapter.spec.writing import WritingSpec

FORBIDDEN = -math.inf
_FIRST_LOOK = 128
"""So many of the worthiest tokens are looked at before all are."""
LOOP_TIMES, LOOP_LEAST_TOKENS, LOOP_LONGEST_TOKENS = 3, 12, 40
"""A loop is a run of at most 40 tokens that stands three times in a row, and takes at least 12 tokens for that."""


class Sampler:
    """Draws the tokens of some texts that are written side by side, each from a generator of its own."""

    def __init__(self, spec: WritingSpec, rows: int) -> None:
        """Seed a generator for each row: what a row draws does not depend on how many there are."""
        self._spec = spec
        self._generators = [np.random.default_rng([spec.seed, row]) for row in range(rows)]

    def draw(
        self, log_probs: Float[Tensor, "row token"], written: Sequence[Sequence[int]], rows: Sequence[int]
    ) -> list[int]:
        """Return the next token of some rows.

        Args:
            log_probs: ln p(next token) in each of them, in nats; `FORBIDDEN` where a token may not come.
            written: the tokens that stand before.
            rows: whose generators draw.
        """
        kept = restrict(log_probs.double().cpu(), written, self._spec)
        if self._spec.temperature == 0:
            likeliest: list[int] = kept.argmax(dim=-1).tolist()
            return likeliest
        cumulative = kept.softmax(dim=-1).cumsum(dim=-1)
        uniforms = torch.tensor([[self._generators[row].random()] for row in rows], dtype=torch.float64)
        drawn: list[int] = torch.searchsorted(cumulative, uniforms * cumulative[:, -1:], right=True)[:, 0].tolist()
        return drawn


def restrict(
    log_probs: Float[Tensor, "row token"], written: Sequence[Sequence[int]], spec: WritingSpec
) -> Float[Tensor, "row token"]:
    """Return ln p up to a constant, sharpened and with `FORBIDDEN` where a token is not to come.

    Args:
        log_probs: ln p(next token), in nats; is written over.
        written: the tokens that stand before in each row.
        spec: which filters.
    """
    forbid_repetition(log_probs, written, spec)
    log_probs = keep_top_k(log_probs, spec.top_k)
    if spec.temperature > 0:
        log_probs = log_probs / spec.temperature
    log_probs = keep_top_p(log_probs, spec.top_p)
    return keep_typical(keep_min_p(log_probs, spec.min_p), spec.typical_p)


def forbid_repetition(
    log_probs: Float[Tensor, "row token"], written: Sequence[Sequence[int]], spec: WritingSpec
) -> None:
    """Forbid, in place, what would go on with a loop or repeat an n-gram, and lower what was written shortly before."""
    for row, tokens in enumerate(written):
        if forbidden := _repeating(tokens, spec):
            log_probs[row] = _without(log_probs[row], forbidden)
        if spec.repetition_penalty > 1:
            log_probs[row] = penalise(log_probs[row], tokens[-spec.repetition_window :], spec.repetition_penalty)


def keep_top_k(log_probs: Float[Tensor, "row token"], top_k: int | None) -> Float[Tensor, "row token"]:
    """Forbid all but the `top_k` likeliest tokens; ties stay."""
    if top_k is None or top_k >= log_probs.shape[-1]:
        return log_probs
    weakest = log_probs.topk(top_k, dim=-1).values[:, -1:]
    return log_probs.masked_fill(log_probs < weakest, FORBIDDEN)


def keep_top_p(log_probs: Float[Tensor, "row token"], top_p: float) -> Float[Tensor, "row token"]:
    """Forbid the tail beyond the likeliest tokens that together hold `top_p` (Holtzman et al., 2020)."""
    if top_p >= 1:
        return log_probs
    return _keep_mass(log_probs, log_probs, top_p)


def keep_min_p(log_probs: Float[Tensor, "row token"], min_p: float) -> Float[Tensor, "row token"]:
    """Forbid tokens less likely than `min_p` times the likeliest (Nguyen et al., 2024, arXiv 2407.01082)."""
    if min_p <= 0:
        return log_probs
    weakest = log_probs.max(dim=-1, keepdim=True).values + math.log(min_p)
    return log_probs.masked_fill(log_probs < weakest, FORBIDDEN)


def keep_typical(log_probs: Float[Tensor, "row token"], typical_p: float) -> Float[Tensor, "row token"]:
    """Keep the tokens whose surprise is nearest to the entropy, up to a mass (Meister et al., 2023, arXiv 2202.00666).

    Both the dull and the far-fetched go: |-ln p - H| orders the tokens, and the first that hold `typical_p` stay.
    """
    if typical_p >= 1:
        return log_probs
    normalised = log_probs.log_softmax(dim=-1)
    entropy = -(normalised.exp() * normalised.clamp_min(-1e4)).sum(dim=-1, keepdim=True)
    return _keep_mass(log_probs, -(normalised + entropy).abs(), typical_p)


def _keep_mass(
    log_probs: Float[Tensor, "row token"], worth: Float[Tensor, "row token"], mass: float
) -> Float[Tensor, "row token"]:
    """Forbid all but the worthiest tokens that together hold a share of the probability, at least one."""
    probabilities = log_probs.softmax(dim=-1)
    for count in (_FIRST_LOOK, worth.shape[-1]):  # sorting a large vocabulary takes longer than the network's step
        order = worth.topk(min(count, worth.shape[-1]), dim=-1).indices
        ordered = probabilities.gather(-1, order)
        before = ordered.cumsum(dim=-1) - ordered
        if (before[:, -1] >= mass).all():
            break
    left = torch.full_like(log_probs, FORBIDDEN)
    return left.scatter(-1, order, log_probs.gather(-1, order).masked_fill(before >= mass, FORBIDDEN))


def penalise(log_probs: Float[Tensor, " token"], tokens: Sequence[int], penalty: float) -> Float[Tensor, " token"]:
    """Multiply ln p of tokens that were written by a penalty above 1: p becomes p^penalty (after Keskar et al., 2019).

    The authors divide logits, whose zero is arbitrary; ln p has none above 0.
    """
    seen = torch.tensor(sorted(set(tokens)), dtype=torch.int64)
    return log_probs.index_copy(0, seen, log_probs[seen] * penalty)


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


def _without(log_probs: Float[Tensor, " token"], forbidden: set[int]) -> Float[Tensor, " token"]:
    """Return ln p without some tokens, unless nothing would be left."""
    left = log_probs.index_fill(0, torch.tensor(sorted(forbidden)), FORBIDDEN)
    return left if left.max() > FORBIDDEN else log_probs
