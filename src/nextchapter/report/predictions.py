"""True beside predicted next words, as `evaluate_model` wrote them down, and how a token looks to a reader."""

import csv
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_NAMES = {
    "<end-of-chapter>": "end of chapter",
    "<0x0A>": "↵",
    "<0x0D>": "↵",
    "<0x09>": "⇥",
    "\n": "↵",
    " ": "␣",
    "": "∅",
}


class Prediction(NamedTuple):
    """What stood next in a passage, and what a model expected there."""

    before: str
    """The token before, empty at the beginning of the passage."""
    true: str
    true_probability: float
    ranked: tuple[tuple[str, float], ...]
    """The likeliest tokens with their probabilities, the likeliest first."""

    @property
    def hit(self) -> bool:
        """Whether the likeliest token is the true one."""
        return self.ranked[0][0] == self.true

    @property
    def is_word(self) -> bool:
        """Whether the true token is a whole word or the beginning of one."""
        return self.true.lstrip(" ").isalpha() and not goes_on(self.true, self.before)

    def shown(self, token: str) -> str:
        """Return the true token, or a guess at it, as a reader sees it."""
        return shown(token, self.before)


class Passage(NamedTuple):
    """A passage of a book, token by token."""

    book: str
    chapter: int
    predictions: list[Prediction]


def read_predictions(path: Path) -> Passage:
    """Return the passage in a run's `predictions.csv`; a token that reads `NA` or `12` stays text.

    Raises:
        ValueError: the file holds no row.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{path} holds no prediction")
    ranks = sum(name.startswith("predicted_") for name in rows[0])
    predictions = [
        Prediction(
            before["true"],
            row["true"],
            float(row["true_probability"]),
            tuple((row[f"predicted_{rank}"], float(row[f"probability_{rank}"])) for rank in range(1, ranks + 1)),
        )
        for before, row in pairwise([{"true": ""}, *rows])
    ]
    return Passage(rows[0]["book"], int(rows[0]["chapter"]), predictions)


def shown(token: str, before: str) -> str:
    """Return a token as a reader sees it: a word plain, the end of one behind `…`, signs for blanks."""
    if token in _NAMES:
        return _NAMES[token]
    byte = _BYTE.fullmatch(token)
    if byte:
        return f"byte {byte[1]}"
    blank = "↵" if "\n" in token else "␣"
    return f"…{token}" if goes_on(token, before) else token.strip() or blank


def goes_on(token: str, before: str) -> bool:
    """Return whether a token goes on with the word that the one before it left open."""
    return token[:1].isalpha() and before[-1:].isalpha()


def percent(probability: float) -> str:
    """Return a probability as a short percentage: `41 %`, `3.2 %`, `< 0.1 %`."""
    if probability < 0.001:
        return "< 0.1 %"
    return f"{probability:.1%}".replace("%", " %") if probability < 0.0995 else f"{probability:.0%}".replace("%", " %")
