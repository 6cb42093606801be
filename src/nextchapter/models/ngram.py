"""Interpolated modified Kneser-Ney n-grams (Chen and Goodman, 1999), counted with sorted arrays.

    p_k(w | h) = max(c(h w) - D(c(h w)), 0) / c(h) + gamma(h) p_{k-1}(w | h'),    h' = h without its first token

c is the count of an n-gram; below the highest order it is the number of different tokens that precede it, except where
it begins a chapter. D has a value each for the counts 1, 2 and above (eq. 26), gamma(h) is what they take away, and
p_0 is uniform.

The n-grams of an order are numbered by their rank among the sorted. An n-gram is the pair (number of its first tokens,
last token), packed into one integer: so any order and vocabulary fits 64 bits, and each look-up is a binary search in a
sorted array. The state of the model is the numbers of the contexts that end at the last token, one of each length.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from nextchapter.models.protocol import IGNORED, CountedModel, State
from nextchapter.spec.models import FamilySpec
from nextchapter.tokens.stream import TokenStream

LOGGER = logging.getLogger("nextchapter")
ABSENT = -1
"""Number of a context that did not occur in training."""


class NgramSpec(FamilySpec):
    """Interpolated modified Kneser-Ney n-grams, Chen and Goodman (1999)."""

    reads_once: ClassVar[bool] = True

    kind: Literal["ngram"] = "ngram"
    """Says which of the families this is."""
    order: Annotated[int, Field(ge=1, le=12)] = 5
    """Longest n-gram, in tokens."""

    def operations_per_token(self, vocabulary_size: int, sequences: int, length: int) -> float:
        """Return as many as take the time of sorting and counting each order."""
        del vocabulary_size, sequences, length
        return 19_000 * self.order

    def table_bytes(self, train_tokens: float) -> float:
        """Return 16 bytes, a key and two numbers, for the n-gram of each order above 1 that ends at each token."""
        return 16 * (self.order - 1) * train_tokens

    def describe(self) -> str:
        """Return the order."""
        return f"order {self.order}"


@dataclass(frozen=True)
class Ngrams:
    """The n-grams of one order in a training split."""

    keys: np.ndarray
    """(number of the context) * vocabulary + last token, sorted, int64 [ngram]."""
    counts: np.ndarray
    """c of each, int64 [ngram]."""
    suffixes: np.ndarray
    """Number of each without its first token, among those of the order below, int64 [ngram]."""
    contexts: np.ndarray
    """Number of each without its last token, likewise, int64 [ngram]."""


class Ngram(CountedModel):
    """Modified Kneser-Ney; `fit` counts, and no gradient is involved."""

    def __init__(self, vocabulary_size: int, spec: NgramSpec) -> None:
        """Make room for the tables; before `fit` the model is uniform."""
        super().__init__()
        self.vocabulary_size, self.order = vocabulary_size, spec.order
        self.register_buffer("log_probs_1", torch.full((vocabulary_size,), -math.log(vocabulary_size)))
        for k in range(2, spec.order + 1):
            self.register_buffer(f"keys_{k}", torch.empty(0, dtype=torch.int64))
            self.register_buffer(f"log_probs_{k}", torch.empty(0))
            self.register_buffer(f"log_backoffs_{k - 1}", torch.empty(0))

    def fit(self, stream: TokenStream, end_of_chapter: int) -> None:
        """Count the n-grams of the training chapters, and turn counts into probabilities."""
        lower = np.full(1, 1 / self.vocabulary_size)
        for k, ngrams in enumerate(count_ngrams(stream, end_of_chapter, self.vocabulary_size, self.order), start=1):
            lower, backoffs = interpolate(ngrams, lower, k)
            self._set_table("log_probs", k, np.log(lower))
            if k > 1:
                self._set_table("keys", k, ngrams.keys)
                self._set_table("log_backoffs", k - 1, np.log(backoffs))

    def ngrams(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield, from order 1 up, tokens [ngram k], ln p and the ln of the back-off weight, float64 [ngram]."""
        tokens = np.arange(self.vocabulary_size)[:, None]
        for k in range(1, self.order + 1):
            if k > 1:
                keys = self._table("keys", k).cpu().numpy()
                tokens = np.column_stack([tokens[keys // self.vocabulary_size], keys % self.vocabulary_size])
            log_probs = self._table("log_probs", k).double().cpu().numpy()
            has_backoffs = k < self.order and len(self._table("log_backoffs", k))
            backoffs = self._table("log_backoffs", k).double().cpu().numpy() if has_backoffs else np.zeros(len(tokens))
            yield tokens, log_probs, backoffs

    def initial_state(self, batch: int) -> State:
        """Return the state without any context, int64 [batch context]."""
        return torch.full((batch, self.order - 1), ABSENT, device=self.device)

    def forward(
        self, tokens: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time token"], State]:
        """Return ln p(next token) after each token, built up from the shortest context to the longest."""
        contexts, state = self._read(tokens, state)
        log_probs = self._table("log_probs", 1).expand(*tokens.shape, -1).clone()
        for k in range(2, self.order + 1):
            context = contexts[..., k - 2]
            log_probs += self._look_up("log_backoffs", k - 1, context)[..., None]
            self._put_successors(k, context, log_probs)
        return log_probs, state

    def score(
        self, tokens: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"], state: State
    ) -> tuple[Float[Tensor, "batch time"], State]:
        """Return -ln p(target): that of the longest known n-gram, and the back-off weights of all longer contexts."""
        contexts, state = self._read(tokens, state)
        kept = targets != IGNORED
        words = targets.where(kept, 0)
        log_probs = self._table("log_probs", 1)[words]
        for k in range(2, self.order + 1):
            context = contexts[..., k - 2]
            ngram = self._find(k, context, words)
            backed_off = log_probs + self._look_up("log_backoffs", k - 1, context)
            log_probs = backed_off.where(ngram == ABSENT, self._look_up("log_probs", k, ngram))
        return -log_probs.where(kept, 0.0), state

    def _read(self, tokens: Int[Tensor, "batch time"], state: State) -> tuple[Int[Tensor, "batch time context"], State]:
        """Return the number of the context of each length after each token, and those after the last one."""
        lengths = [tokens]
        for k in range(2, self.order):
            before = torch.cat([state[:, None, k - 2], lengths[-1][:, :-1]], dim=1)
            lengths.append(self._find(k, before, tokens))
        contexts = torch.stack(lengths, dim=-1)[..., : self.order - 1]
        return contexts, contexts[:, -1]

    def _find(self, k: int, contexts: Tensor, tokens: Tensor) -> Tensor:
        """Return the number of the n-gram of order k that a context and a token make, or `ABSENT`."""
        keys = self._table("keys", k)
        if not len(keys):
            return torch.full_like(contexts, ABSENT)
        wanted = contexts * self.vocabulary_size + tokens
        place = torch.searchsorted(keys, wanted).clamp_max(len(keys) - 1)
        return place.where((contexts != ABSENT) & (keys[place] == wanted), ABSENT)

    def _look_up(self, table: str, k: int, ngrams: Tensor) -> Tensor:
        """Return what a table of order k has for some n-grams, 0 for those that are absent."""
        values = self._table(table, k)
        if not len(values):
            return values.new_zeros(ngrams.shape)
        return values[ngrams.clamp_min(0)].where(ngrams != ABSENT, 0.0)

    def _put_successors(self, k: int, contexts: Tensor, log_probs: Tensor) -> None:
        """Overwrite the probabilities of the tokens that follow the contexts in training."""
        keys = self._table("keys", k)
        flat, rows = contexts.flatten(), log_probs.view(-1, self.vocabulary_size)
        start, stop = (torch.searchsorted(keys, (flat + more) * self.vocabulary_size) for more in (0, 1))
        count = (stop - start).where(flat != ABSENT, 0)
        row = torch.repeat_interleave(torch.arange(len(flat), device=flat.device), count)
        entry = start[row] + torch.arange(len(row), device=flat.device) - (count.cumsum(0) - count)[row]
        rows[row, keys[entry] % self.vocabulary_size] = self._table("log_probs", k)[entry]

    def _table(self, name: str, k: int) -> Tensor:
        return self.get_buffer(f"{name}_{k}")

    def _set_table(self, name: str, k: int, values: np.ndarray) -> None:
        before = self._table(name, k)
        self.register_buffer(f"{name}_{k}", torch.from_numpy(values).to(before.device, before.dtype))


def count_ngrams(stream: TokenStream, end_of_chapter: int, vocabulary_size: int, order: int) -> Iterator[Ngrams]:
    """Yield the n-grams of the training chapters, from order 1 up.

    An n-gram stands within a chapter, before which stands the end-of-chapter token. Order 1 has all tokens, with or
    without a count.
    """
    tokens, place = _lay_out(stream, end_of_chapter)
    numbers = tokens  # of the n-gram that ends at each place
    keys, counts = np.arange(vocabulary_size), np.bincount(tokens[place > 0], minlength=vocabulary_size)
    suffixes = contexts = np.zeros(vocabulary_size, np.int64)
    begins = np.zeros(vocabulary_size, bool)  # whether an n-gram begins a chapter
    for k in range(1, order):
        ends = np.flatnonzero(place >= k)
        all_keys = numbers[ends - 1] * vocabulary_size + tokens[ends]
        longer, first, inverse, longer_counts = np.unique(
            all_keys, return_index=True, return_inverse=True, return_counts=True
        )
        suffix_of_longer = numbers[ends[first]]
        preceding = np.bincount(suffix_of_longer, minlength=len(keys))
        yield Ngrams(keys, np.where(begins, counts, preceding), suffixes, contexts)
        keys, counts, suffixes, contexts = longer, longer_counts, suffix_of_longer, longer // vocabulary_size
        begins = place[ends[first]] == k
        numbers = np.full(len(tokens), ABSENT)
        numbers[ends] = inverse
    yield Ngrams(keys, counts, suffixes, contexts)


def _lay_out(stream: TokenStream, end_of_chapter: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all chapters, an end-of-chapter token before each, and each token's place in its chapter, from 0."""
    starts = stream.offsets[:-1] + np.arange(stream.chapters)
    tokens = np.insert(stream.tokens.astype(np.int64), stream.offsets[:-1], end_of_chapter)
    place = np.arange(len(tokens)) - np.repeat(starts, stream.lengths + 1)
    return tokens, place


def interpolate(ngrams: Ngrams, lower: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return p_k of each n-gram, float64 [ngram], and gamma of each context, float64 [context].

    Args:
        ngrams: those of order k.
        lower: p_{k-1} of the n-grams of the order below.
        order: k, for messages.
    """
    discounts = estimate_discounts(ngrams.counts, order)
    removed = discounts[np.minimum(ngrams.counts, 3)]
    totals = np.bincount(ngrams.contexts, ngrams.counts, minlength=len(lower))
    left_over = np.bincount(ngrams.contexts, removed, minlength=len(lower))
    backoffs = np.divide(left_over, totals, out=np.ones(len(lower)), where=totals > 0)
    kept = (ngrams.counts - removed) / totals[ngrams.contexts]
    return kept + backoffs[ngrams.contexts] * lower[ngrams.suffixes], backoffs


def estimate_discounts(counts: np.ndarray, order: int) -> np.ndarray:
    """Return D(0) = 0, D(1), D(2) and D(3+), float64 [4], from the counts of counts (Chen and Goodman, 1999, eq. 26).

    Where these do not allow three discounts (a small vocabulary has no token that occurs once), one discount serves
    all, n1 / (n1 + 2 n2), or 0.5 where there is none, and a warning says so.
    """
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == count)) for count in (1, 2, 3, 4))
    if n1 and n2 and n3:
        y = n1 / (n1 + 2 * n2)
        discounts = np.array([0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
        if (discounts[1:] > 0).all() and (discounts <= np.arange(4)).all():
            return discounts
    single = n1 / (n1 + 2 * n2) if n1 and n2 else 0.5
    told = "order %d: the counts of counts %s allow no modified discounts; one of %.2f serves all"
    LOGGER.warning(told, order, (n1, n2, n3, n4), single)
    return np.array([0, single, single, single])


MODEL, SPEC = Ngram, NgramSpec
