"""The vectorised n-gram against a dictionary one that follows Chen and Goodman's equations word by word."""

import itertools
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch

from nextchapter.models.ngram import LOGGER, Ngram, NgramSpec, count_ngrams, estimate_discounts
from nextchapter.models.protocol import count_parameters
from nextchapter.models.scoring import score_chapters
from nextchapter.tokens.stream import TokenStream

VOCABULARY, END = 5, 1
EXACT = {"rtol": 0, "atol": 1e-12}


def chapters_of(seed: int, count: int = 12, vocabulary: int = VOCABULARY) -> list[list[int]]:
    """Return chapters in which some tokens are frequent, some rare, some never occur; one chapter is empty."""
    generator = np.random.default_rng(seed)
    words = [token for token in range(vocabulary) if token != END]
    shares = 1.0 / np.arange(1, len(words) + 1) ** 2
    drawn = [generator.choice(words, size=generator.integers(1, 25), p=shares / shares.sum()) for _ in range(count)]
    return [*([*chapter.tolist(), END] for chapter in drawn), [END]]


def stream_of(chapters: Sequence[list[int]]) -> TokenStream:
    tokens = np.array(list(itertools.chain.from_iterable(chapters)), dtype=np.uint16)
    return TokenStream(tokens, np.cumsum([0, *map(len, chapters)]))


def fitted(order: int, chapters: Sequence[list[int]], vocabulary: int = VOCABULARY) -> Ngram:
    model = Ngram(vocabulary, NgramSpec(order=order)).double().eval()
    model.fit(stream_of(chapters), END)
    return model


class Naive:
    """Interpolated modified Kneser-Ney with a dictionary for each count."""

    def __init__(self, chapters: Sequence[list[int]], order: int, vocabulary: int = VOCABULARY) -> None:
        self.vocabulary = vocabulary
        occurred: Counter[tuple[int, ...]] = Counter()
        for chapter in chapters:
            padded = (END, *chapter)
            for stop in range(2, len(padded) + 1):
                occurred.update(padded[start:stop] for start in range(max(0, stop - order), stop))
        before = defaultdict(set)
        for ngram in occurred:
            before[ngram[1:]].add(ngram[0])
        begins = {(END, *chapter)[:size] for chapter in chapters for size in range(2, order + 1)}
        self.counts = {
            ngram: count if len(ngram) == order or ngram in begins else len(before[ngram])
            for ngram, count in occurred.items()
        }
        self.discounts = {size: self._discounts(size) for size in range(1, order + 1)}
        self.followers = defaultdict(list)
        for ngram in occurred:
            self.followers[ngram[:-1]].append(ngram)
        self.order = order
        self.probability = cache(self.probability)

    def _discounts(self, size: int) -> list[float]:
        found = Counter(count for ngram, count in self.counts.items() if len(ngram) == size)
        n1, n2, n3, n4 = (found[count] for count in (1, 2, 3, 4))
        if n1 and n2 and n3:
            y = n1 / (n1 + 2 * n2)
            three = [0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
            if all(0 < discount <= place for place, discount in enumerate(three) if place):
                return three
        return [0.0, *[n1 / (n1 + 2 * n2) if n1 and n2 else 0.5] * 3]

    def probability(self, word: int, context: tuple[int, ...]) -> float:
        context = context[max(0, len(context) - self.order + 1) :]
        lower = self.probability(word, context[1:]) if context else 1 / self.vocabulary
        discounts, followers = self.discounts[len(context) + 1], self.followers[context]
        total = sum(self.counts[ngram] for ngram in followers)
        if not total:
            return lower
        count = self.counts.get((*context, word), 0)
        left_over = sum(discounts[min(3, self.counts[ngram])] for ngram in followers)
        return max(count - discounts[min(3, count)], 0) / total + left_over / total * lower


@pytest.mark.parametrize("order", range(1, 8))
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.filterwarnings("ignore")
def test_every_probability_is_that_of_the_naive_twin(order: int, seed: int) -> None:
    chapters = chapters_of(seed)
    model, naive = fitted(order, chapters), Naive(chapters, order)
    for chapter in chapters_of(seed + 100, count=4):
        read = [END, *chapter[:-1]]
        log_probs, _ = model(torch.tensor([read]), model.initial_state(1))
        wanted = [
            [math.log(naive.probability(word, tuple(read[:stop]))) for word in range(VOCABULARY)]
            for stop in range(1, len(read) + 1)
        ]
        torch.testing.assert_close(log_probs[0], torch.tensor(wanted, dtype=torch.float64), **EXACT)
        nats, _ = model.score(torch.tensor([read]), torch.tensor([chapter]), model.initial_state(1))
        torch.testing.assert_close(-nats[0], log_probs[0].gather(1, torch.tensor(chapter)[:, None])[:, 0], **EXACT)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_probabilities_sum_to_one_after_every_context(order: int) -> None:
    model = fitted(order, chapters_of(5))
    contexts = torch.tensor(list(itertools.product(range(VOCABULARY), repeat=4)))
    log_probs, _ = model(contexts, model.initial_state(len(contexts)))
    assert log_probs.isfinite().all()
    torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(len(contexts), 4).double(), **EXACT)


def test_the_discounts_are_those_of_a_worked_example() -> None:
    counts = np.repeat([1, 2, 3, 4, 9], [10, 4, 2, 1, 3])
    y = 10 / 18
    expected = [0, 1 - 2 * y * 4 / 10, 2 - 3 * y * 2 / 4, 3 - 4 * y * 1 / 2]
    np.testing.assert_allclose(estimate_discounts(counts, order=3), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("counts", "single"),
    [
        ([7, 7, 9], 0.5),  # no token occurs once
        ([1, 1, 2], 0.5),  # none three times: n1 / (n1 + 2 n2) = 2 / 4
        ([1, 1, 1, 2, 3, 4, 4, 4, 4, 4], 0.6),  # so many occur four times that D(3+) would be negative
    ],
)
def test_where_counts_allow_no_three_discounts_one_serves_all_and_a_warning_says_so(
    counts: list[int], single: float, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LOGGER, "propagate", True)
    with caplog.at_level(logging.WARNING, logger="nextchapter"):
        discounts = estimate_discounts(np.array(counts), order=2)
    assert discounts.tolist() == [0, single, single, single]
    assert "order 2: the counts of counts" in caplog.text
    assert f"one of {single:.2f} serves all" in caplog.text


def test_a_wide_vocabulary_is_counted_as_a_small_one() -> None:
    stream, numbers, wide = stream_of(chapters_of(3)), np.array([0, 70_000, 80_000, 150_000, 199_999]), 200_000
    spread = TokenStream(numbers[stream.tokens].astype(np.uint32), stream.offsets)
    small = list(count_ngrams(stream, END, VOCABULARY, 4))
    large = list(count_ngrams(spread, int(numbers[END]), wide, 4))
    assert large[1].keys.max() > 2**32
    for few, many in zip(small[1:], large[1:], strict=True):
        np.testing.assert_array_equal(few.counts, many.counts)
        np.testing.assert_array_equal(numbers[few.keys % VOCABULARY], many.keys % wide)
    for few, many in zip(small[2:], large[2:], strict=True):
        np.testing.assert_array_equal(few.suffixes, many.suffixes)
        np.testing.assert_array_equal(few.contexts, many.contexts)


def test_fitting_again_replaces_what_was_learnt() -> None:
    model, other = fitted(4, chapters_of(0)), fitted(4, chapters_of(1))
    other.fit(stream_of(chapters_of(0)), END)
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, other.get_buffer(name))


def test_the_numbers_it_holds_are_its_parameters() -> None:
    model = fitted(3, [[0, 0, END], [0, 2, END]])
    bigrams = {(END, 0), (0, 0), (0, END), (0, 2), (2, END)}
    trigrams = {(END, 0, 0), (0, 0, END), (END, 0, 2), (0, 2, END)}
    weights = VOCABULARY + len(bigrams)  # one of each context
    assert count_parameters(model) == VOCABULARY + len(bigrams) + len(trigrams) + weights


def test_a_split_without_text_gives_equal_probabilities_or_nearly_so() -> None:
    model = fitted(3, [[END]])
    nats = score_chapters(model, stream_of([[2, 3, END]]), END, 1, 10)[0]
    assert np.isfinite(nats).all()
