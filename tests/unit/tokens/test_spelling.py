import itertools
import math

import pytest

from nextchapter.tokens.spelling import END, SpellingModel

WORDS = {"ab": 2, "aab": 1, "b": 3}


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_symbols_behind_any_context_sum_to_one(order: int) -> None:
    model = SpellingModel(WORDS, order)
    symbols = [*sorted(model.alphabet), END, None]
    for length in range(order + 1):
        for context in map("".join, itertools.product(["a", "b", "z", END], repeat=length)):
            assert sum(model.probability(symbol, context) for symbol in symbols) == pytest.approx(1.0, abs=1e-12)


def test_the_words_of_the_alphabet_and_what_escapes_it_sum_to_one() -> None:
    """All words of up to 9 letters, and the probability of being longer or of leaving the alphabet, by enumeration."""
    model, longest = SpellingModel(WORDS, 3), 9
    total, open_ends = 0.0, {END * 2: 1.0}
    for _ in range(longest + 1):
        longer: dict[str, float] = {}
        for context, weight in open_ends.items():
            total += weight * (model.probability(END, context) + model.probability(None, context))
            for letter in "ab":
                behind = (context + letter)[-2:]
                longer[behind] = longer.get(behind, 0.0) + weight * model.probability(letter, context)
        open_ends = longer
    assert total + sum(open_ends.values()) == pytest.approx(1.0, abs=1e-12)
    words = ("".join(word) for length in range(1, 7) for word in itertools.product("ab", repeat=length))
    assert sum(math.exp(-model.nats(word)) for word in words) < total


def test_witten_bell_by_hand() -> None:
    """Order 2. Behind a: one a, three b, two kinds; without context: 4 a, 6 b and 6 ends, three kinds of 16."""
    model = SpellingModel(WORDS, 2)
    uniform = 1 / 4  # a, b, end, escape
    unigram = (6 + 3 * uniform) / (16 + 3)
    assert model.probability("b", "a") == pytest.approx((3 + 2 * unigram) / (4 + 2))
    assert model.probability(END, "a") == pytest.approx(2 * unigram / (4 + 2))
    assert model.probability(None, "z") == pytest.approx(3 * uniform / (16 + 3))


def test_every_word_has_a_finite_cost_and_likely_ones_a_lower() -> None:
    model = SpellingModel(WORDS)
    assert model.nats("ab") < model.nats("ba") < model.nats("bé") < model.nats("漢\N{GRINNING FACE}") < math.inf


def test_a_model_of_no_words_spells_by_the_code_points_of_unicode() -> None:
    model = SpellingModel({})
    assert model.nats("a") == pytest.approx(2 * math.log(2) + math.log(0x110000 - 0x800))
