"""A map of the frequent words: vectors laid out in the plane by t-SNE, names thinned until none covers another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from openTSNE import TSNE

from nextchapter.report.figures import FAINT, INK, MUTED, WIDTH_INCHES

PERPLEXITY = 15
"""Neighbours that t-SNE keeps near, in effect."""
_LABEL_POINTS, _DOT_POINTS = 7.5, 1.2
_CHARACTER_WIDTH, _LINE_HEIGHT = 0.62, 1.25
"""Of a letter and a line, in font sizes."""


class Box(NamedTuple):
    """What a label covers, in points: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float


def lay_out(vectors: np.ndarray, seed: int = 1) -> np.ndarray:
    """Return a place in the plane for each vector, by t-SNE (van der Maaten and Hinton, 2008) on cosines.

    Args:
        vectors: at least five, float32 [word dimension].
        seed: of t-SNE; on one thread the layout repeats itself.

    Returns:
        Coordinates between 0 and 1 [word 2].
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 4)
    # On vectors of length 1 the Euclidean distance orders as the cosine does.
    layout = TSNE(
        perplexity=perplexity, metric="euclidean", neighbors="exact", negative_gradient_method="bh",
        initialization="pca", n_jobs=1, random_state=seed, n_iter=400,
    )  # fmt: skip
    places = np.asarray(layout.fit(unit.astype(np.float64)))
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray((places - low) / np.maximum(high - low, 1e-12))


def place_labels(places: np.ndarray, texts: Sequence[str], width: float, height: float) -> list[tuple[int, Box]]:
    """Return the words to name, the first ones before the later, and the boxes of their names.

    A name stands right of its point, or left, above or below it where that is taken; where nothing is free it is left
    out. No name covers another, nor the point of a word that is named.

    Args:
        places: coordinates between 0 and 1, the most important word first [word 2].
        texts: the names.
        width: of the map, in points.
        height: likewise.
    """
    kept: list[tuple[int, Box]] = []
    taken: list[Box] = []
    for word, (x, y) in enumerate(places * (width, height)):
        point = Box(x - _DOT_POINTS, y - _DOT_POINTS, x + _DOT_POINTS, y + _DOT_POINTS)
        if any(_overlap(point, box) for _, box in kept):
            continue
        for box in _positions(float(x), float(y), _width_of(texts[word]), _LABEL_POINTS * _LINE_HEIGHT):
            inside = box.left >= 0 and box.right <= width and box.bottom >= 0 and box.top <= height
            if inside and not any(_overlap(box, other) for other in taken):
                kept.append((word, box))
                taken += [box, point]
                break
    return kept


def _width_of(text: str) -> float:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text) * _LABEL_POINTS * _CHARACTER_WIDTH


def _positions(x: float, y: float, width: float, height: float) -> list[Box]:
    gap = 2.5
    corners = [
        (x + gap, y - height / 2),
        (x - gap - width, y - height / 2),
        (x - width / 2, y + gap),
        (x - width / 2, y - gap - height),
    ]
    return [Box(left, bottom, left + width, bottom + height) for left, bottom in corners]


def _overlap(one: Box, other: Box) -> bool:
    apart = one.right <= other.left or other.right <= one.left or one.top <= other.bottom or other.top <= one.bottom
    return not apart


def draw_map(vectors: np.ndarray, texts: Sequence[str], title: str) -> Figure:
    """Draw the map of some words, the most frequent first; with fewer than five there is none to draw."""
    figure = Figure(figsize=(WIDTH_INCHES, WIDTH_INCHES + 0.5))
    axes = figure.add_axes((0.02, 0.06, 0.96, 0.87))
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(FAINT)
    width, height = 0.96 * 72 * WIDTH_INCHES, 0.87 * 72 * (WIDTH_INCHES + 0.5)
    axes.set(xlim=(0, width), ylim=(0, height))
    if len(vectors) < 5:
        axes.text(width / 2, height / 2, "Too few words have a vector.", ha="center", color=MUTED)
        return figure
    places = 0.03 + 0.94 * lay_out(vectors)
    axes.plot(*(places * (width, height)).T, linestyle="", marker="o", markersize=1.5, color=FAINT)
    labels = place_labels(places, texts, width, height)
    for word, box in labels:
        x, y = places[word] * (width, height)
        axes.plot(x, y, marker="o", markersize=2 * _DOT_POINTS, color="#0072B2")
        centre = ((box.left + box.right) / 2, (box.bottom + box.top) / 2)
        axes.text(*centre, texts[word], fontsize=_LABEL_POINTS, ha="center", va="center", color=INK)
    note = (
        f"The {len(texts)} most frequent words; {len(labels)} of them have room for their name. t-SNE of the cosines."
    )
    figure.text(0.02, 0.025, note, fontsize=8.5, color=MUTED)
    return figure
