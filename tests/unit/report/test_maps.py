from itertools import combinations
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.report.figures import save_figure
from nextchapter.report.maps import _overlap, draw_map, lay_out, place_labels


def _groups() -> np.ndarray:
    """Return 60 vectors around three directions."""
    generator = np.random.default_rng(0)
    return (np.repeat(np.eye(3, 10), 20, axis=0) + generator.normal(0, 0.15, (60, 10))).astype(np.float32)


def test_what_points_the_same_way_lies_together_and_a_second_call_gives_the_same() -> None:
    places = lay_out(_groups())
    assert places.min() == 0.0
    assert places.max() == 1.0
    centres = places.reshape(3, 20, 2).mean(axis=1)
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(axis=1)
    assert np.array_equal(nearest, np.repeat(np.arange(3), 20))
    assert np.array_equal(places, lay_out(_groups()))


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


def test_a_map_is_drawn_twice_with_the_same_bytes_and_one_of_few_words_says_so(tmp_path: Path) -> None:
    names = [f"word{number}" for number in range(60)]
    for folder in ("a", "b"):
        save_figure(lambda: draw_map(_groups(), names, "t"), tmp_path / folder / "m.svg", tmp_path / folder / "m.png")
    assert (tmp_path / "a/m.svg").read_bytes() == (tmp_path / "b/m.svg").read_bytes()
    assert "Too few words" in str([text.get_text() for text in draw_map(_groups()[:4], names[:4], "t").axes[0].texts])
