"""Names beside points of a plane, thinned until none covers another."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LABEL_POINTS, DOT_POINTS = 7.5, 1.2
_CHARACTER_WIDTH, _LINE_HEIGHT = 0.62, 1.25
"""Of a letter and a line, in font sizes."""


class Box(NamedTuple):
    """What a label covers, in points: left, bottom, right, top."""

    left: float
    bottom: float
    right: float
    top: float


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
        point = Box(x - DOT_POINTS, y - DOT_POINTS, x + DOT_POINTS, y + DOT_POINTS)
        if any(_overlap(point, box) for _, box in kept):
            continue
        for box in _positions(float(x), float(y), _width_of(texts[word]), LABEL_POINTS * _LINE_HEIGHT):
            inside = box.left >= 0 and box.right <= width and box.bottom >= 0 and box.top <= height
            if inside and not any(_overlap(box, other) for other in taken):
                kept.append((word, box))
                taken += [box, point]
                break
    return kept


def _width_of(text: str) -> float:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text) * LABEL_POINTS * _CHARACTER_WIDTH


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
