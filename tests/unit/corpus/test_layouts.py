from collections.abc import Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import layouts
from nextchapter.corpus.marks import Mark

STEPS = st.tuples(st.integers(0, 6), st.integers(0, 2), st.sampled_from([-0.05, 0.25, 0.5, 1.0]), st.booleans())


def best_worth(marks: Sequence[Mark], worth: Sequence[float], opening: Sequence[Mark | None]) -> float:
    """Return the worth of the best chain, trying all earlier marks before each."""
    best: list[float] = []
    for index, mark in enumerate(marks):
        values = [-layouts._COST_OF_A_GAP * (mark.number > 1)]
        for earlier in range(index):
            cost = layouts._cost_of_step(marks[earlier], mark, opening[index])
            values += [best[earlier] - cost] if cost is not None else []
        best.append(max(values) + worth[index])
    return max(best)


@given(st.lists(STEPS, min_size=1, max_size=25))
def test_the_chain_of_the_greatest_worth_is_found(steps: list[tuple[int, int, float, bool]]) -> None:
    lines = list(accumulate(step for _, step, _, _ in steps))
    marks = [Mark(line, "chapter", number, "") for line, (number, *_) in zip(lines, steps, strict=True)]
    opening = [
        Mark(mark.line, "book", 1, "") if opens else None for mark, (*_, opens) in zip(marks, steps, strict=True)
    ]
    worth = [value for _, _, value, _ in steps]
    indices, score = layouts._best_chain(marks, worth, opening)
    assert score == best_worth(marks, worth, opening)
    assert indices == sorted(set(indices))
