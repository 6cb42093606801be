import numpy as np
import pytest

from nextchapter.evaluation.delta import build_reference, measure_delta

# Ten words a passage. Rates of `the`, `of`, `and`, in tenths:
PASSAGES = {
    "A": ["the the the the of of and x y z", "the the of of of of and and x y"],
    "B": ["the of and and and and x y z z", "the the the of and and and and x y"],
}


def passage(the: int, of: int, and_: int) -> str:
    return " ".join(["the"] * the + ["of"] * of + ["and"] * and_ + ["q"] * (10 - the - of - and_))


def test_delta_is_that_of_the_formula_worked_by_hand() -> None:
    reference = build_reference(PASSAGES, frequent_words=3)
    assert sorted(reference.words) == ["and", "of", "the"]
    rates = {"the": [[4, 2], [1, 3]], "of": [[2, 4], [1, 1]], "and": [[1, 2], [4, 4]]}
    text = {"the": 3, "of": 0, "and": 5}
    expected = {"A": 0.0, "B": 0.0}
    for word, (a, b) in rates.items():
        mean, deviation = np.mean([*a, *b]), np.std([*a, *b])
        for author, own in (("A", a), ("B", b)):
            z_text, z_author = (text[word] - mean) / deviation, (np.mean(own) - mean) / deviation
            expected[author] += abs(z_text - z_author) / 3
    assert measure_delta(reference, passage(3, 0, 5)) == pytest.approx(expected, abs=1e-12)


def test_an_author_is_nearest_to_himself_and_weighs_as_much_as_one_with_more_passages() -> None:
    few = build_reference(PASSAGES, 3)
    many = build_reference({"A": PASSAGES["A"] * 5, "B": PASSAGES["B"]}, 3)
    assert few.mean == pytest.approx(many.mean)
    assert few.deviation == pytest.approx(many.deviation)
    for author, own in PASSAGES.items():
        for text in own:
            found = measure_delta(few, text)
            assert min(found, key=lambda name: found[name]) == author


def test_words_that_never_vary_are_left_out() -> None:
    reference = build_reference({"A": ["same x x", "same y y"]}, 10)
    assert sorted(reference.words) == ["x", "y"]
    assert build_reference({"A": ["same"]}, 10).words == []
    assert measure_delta(build_reference({"A": ["same"]}, 10), "other") == {"A": 0.0}


def test_an_author_without_a_passage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'B': 0"):
        build_reference({"A": ["x"], "B": []}, 10)


def test_a_word_as_frequent_in_all_passages_tells_nothing() -> None:
    """The mean of three times a tenth is a little more than a tenth: that is no deviation."""
    reference = build_reference({"A": [passage(1, of, 3) for of in (2, 3, 4)]}, 4)
    assert sorted(reference.words) == ["of", "q"]
    assert measure_delta(reference, passage(2, 3, 3))["A"] < 2
