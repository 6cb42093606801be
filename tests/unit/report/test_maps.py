from pathlib import Path

import numpy as np

from nextchapter.report.figures import save_figure
from nextchapter.report.maps import draw_map, lay_out


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


def test_a_map_is_drawn_twice_with_the_same_bytes_and_one_of_few_words_says_so(tmp_path: Path) -> None:
    names = [f"word{number}" for number in range(60)]
    for folder in ("a", "b"):
        save_figure(lambda: draw_map(_groups(), names, "t"), tmp_path / folder / "m.svg", tmp_path / folder / "m.png")
    assert (tmp_path / "a/m.svg").read_bytes() == (tmp_path / "b/m.svg").read_bytes()
    assert "Too few words" in str([text.get_text() for text in draw_map(_groups()[:4], names[:4], "t").axes[0].texts])
