from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus import layouts
from nextchapter.corpus.marks import Mark

STEPS = st.tuples(
    st.integers(0, 6), st.integers(0, 2), st.sampled_from([-0.05, 0.25, 0.5, 1.0]), st.none() | st.integers(0, 5)
)


def best_chain(
    marks: Sequence[Mark], worth: Sequence[float], opening: Sequence[Mark | None]
) -> tuple[list[int], float]:
    """Return the best chain and its worth, trying all earlier marks before each; of equally good ones the first."""
    chains: list[list[int]] = []
    best: list[float] = []
    for index, mark in enumerate(marks):
        value, chain = -layouts._COST_OF_A_GAP * (mark.number > 1), [index]
        for earlier in range(index):
            cost = layouts._cost_of_step(marks[earlier], mark, opening[index])
            if cost is not None and best[earlier] - cost > value:
                value, chain = best[earlier] - cost, [*chains[earlier], index]
        chains.append(chain)
        best.append(value + worth[index])
    return chains[best.index(max(best))], max(best)


@given(st.lists(STEPS, min_size=1, max_size=25))
def test_the_chain_of_the_greatest_worth_is_found(steps: list[tuple[int, int, float, int | None]]) -> None:
    lines = list(accumulate(step for _, step, _, _ in steps))
    marks = [Mark(line, "chapter", number, "") for line, (number, *_) in zip(lines, steps, strict=True)]
    opening = [
        None if above is None else Mark(mark.line - above, "book", 1, "")
        for mark, (*_, above) in zip(marks, steps, strict=True)
    ]
    worth = [value for _, _, value, _ in steps]
    assert layouts._best_chain(marks, worth, opening) == best_chain(marks, worth, opening)


@pytest.mark.parametrize("words", [("letter", "scene"), ("scene", "letter")])
def test_of_two_layouts_alike_the_first_in_the_book_is_taken(words: tuple[str, str]) -> None:
    lines = [line for number in range(1, 6) for word in words for line in (f"{word} {number}", "x" * 3000)]
    marks = [Mark(2 * place, lines[2 * place].split()[0], place // 2 + 1, lines[2 * place]) for place in range(10)]
    layout = layouts.choose_layout(layouts.InkedLines(lines), marks)
    assert layout is not None
    assert layout.style == words[0]
