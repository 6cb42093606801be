import pytest

from nextchapter.corpus.batching import batch_by_size


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["a"], [["a"]]),
        (["aa", "b", "cc", "d"], [["aa", "b"], ["cc", "d"]]),
        (["aa", "b", "c"], [["aa", "b"], ["c"]]),
        (["", "aaaaa", "b"], [["", "aaaaa"], ["b"]]),
    ],
)
def test_a_batch_is_closed_when_it_holds_enough(words: list[str], expected: list[list[str]]) -> None:
    assert list(batch_by_size(iter(words), len, 3)) == expected


def test_things_are_taken_as_they_are_needed() -> None:
    taken = iter(["aaa", "b", "cc"])
    assert next(batch_by_size(taken, len, 3)) == ["aaa"]
    assert list(taken) == ["b", "cc"]
