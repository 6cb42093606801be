from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.report.labels import _overlap, place_labels


@given(st.integers(1, 60), st.integers(0, 10))
def test_no_two_names_overlap_and_all_lie_inside(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    texts = ["w" * int(length) for length in generator.integers(1, 12, count)]
    kept = place_labels(generator.random((count, 2)), texts, 200, 150)
    assert not any(_overlap(one, other) for (_, one), (_, other) in combinations(kept, 2))
    assert all(box.left >= 0 and box.right <= 200 and box.bottom >= 0 and box.top <= 150 for _, box in kept)
    assert [word for word, _ in kept] == sorted({word for word, _ in kept})


def test_a_name_alone_has_its_place_and_the_first_goes_before_the_second() -> None:
    assert len(place_labels(np.array([[0.5, 0.5]]), ["word"], 200, 100)) == 1
    crowd = place_labels(np.full((30, 2), 0.5), ["word"] * 30, 200, 100)
    assert crowd[0][0] == 0
    assert len(crowd) < 5
