from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.image import imread

from nextchapter.report.figures import (
    configuration_colours,
    family_colours,
    inline_svg,
    save_figure,
    short_name,
    spread,
)
from nextchapter.spec.families import FAMILIES


def draw_some(text: str = "text") -> Figure:
    figure = Figure(figsize=(6.4, 2))
    axes = figure.subplots()
    axes.plot([1, 2], [3, 4], marker="o")
    axes.set_title(text)
    return figure


def test_a_figure_is_written_twice_with_the_same_bytes_and_without_a_date(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save_figure(draw_some, tmp_path / folder / "f.svg", tmp_path / folder / "f.png")
    for name in ("f.svg", "f.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert "dc:date" not in (tmp_path / "a/f.svg").read_text()
    assert b"Software" not in (tmp_path / "a/f.png").read_bytes()


def test_a_picture_is_1280_pixels_wide(tmp_path: Path) -> None:
    save_figure(draw_some, tmp_path / "f.svg", tmp_path / "f.png")
    assert imread(tmp_path / "f.png").shape[:2] == (400, 1280)


def test_letters_that_no_font_has_become_boxes_without_a_complaint(tmp_path: Path) -> None:
    save_figure(lambda: draw_some("Ж 红楼梦 \U0001f408"), tmp_path / "f.svg", tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 0


def test_a_family_has_the_same_colour_beside_whatever_others_it_is_drawn() -> None:
    kinds = [family.replace("_", "-") for family in FAMILIES]
    together = configuration_colours({kind: kind for kind in kinds})
    assert all(configuration_colours({kind: kind}) == {kind: together[kind]} for kind in kinds)


def test_each_family_has_a_colour_of_its_own_and_the_classic_ones_keep_theirs() -> None:
    alone = family_colours(["lstm"])
    many = family_colours(["hmm", "qrnn", "lstm", "ngram", "gru"])
    assert len({many[kind] for kind in ("elman", "gru", "lstm", "hmm", "qrnn", "ngram")}) == 6
    assert all(many[kind] == alone[kind] for kind in ("elman", "gru", "lstm"))
    assert len(set(family_colours(["qrnn", "sru"]).values())) == len(FAMILIES) + 2
    assert family_colours(str(kind) for kind in range(50)).keys() >= {"0", "49"}


@given(st.lists(st.floats(-100, 100), max_size=12), st.floats(0.01, 20))
def test_spread_positions_keep_their_order_and_their_distance(positions: list[float], gap: float) -> None:
    moved = spread(positions, gap)
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    gaps = [moved[b] - moved[a] for a, b in pairwise(order)]
    assert all(distance >= gap - 1e-6 for distance in gaps)
    assert sum(moved) == pytest.approx(sum(positions), abs=1e-6)


def test_positions_far_apart_stay_and_close_ones_part_evenly() -> None:
    assert spread([5.0, 0.0, 9.0], 2.0) == [5.0, 0.0, 9.0]
    assert spread([1.0, 1.0], 2.0) == [0.0, 2.0]
    assert spread([0.0, 1.0, 2.5], 2.0) == pytest.approx([-5 / 6, 7 / 6, 19 / 6])


def test_a_short_name_keeps_its_seed() -> None:
    assert short_name("lstm-384.s1") == "lstm-384.s1"
    long = short_name("lstm-384-" + "x" * 60 + ".s17")
    assert len(long) == 22
    assert long.startswith("lstm-384-")
    assert long.endswith(".s17")


def test_a_figure_stands_inside_a_page_and_names_no_address() -> None:
    svg = inline_svg(draw_some, 'what <it> "shows"')
    assert svg.startswith('<svg role="img" aria-label="what &lt;it&gt; &quot;shows&quot;"')
    assert svg.rstrip().endswith("</svg>")
    assert "viewBox" in svg
    assert "http" not in svg
    assert svg == inline_svg(draw_some, 'what <it> "shows"')
