"""What a closed vocabulary owes for its unknown words.

A model that says `<unk>` has not said the word. So each is charged with -ln p of its characters under the tokenizer's
spelling model, and stands for the code points it holds. Both were counted when the text was encoded, by chapter; here
they are spread evenly over the `<unk>` of the chapter, so that the blocks of the bootstrap share them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from nextchapter.tokens.stream import TokenStream


class Spelling(NamedTuple):
    """Of each chapter, by token."""

    nats: list[np.ndarray]
    """What the spelling costs; 0 but at `<unk>`, float64 [token]."""
    characters: list[np.ndarray]
    """Code points of the unknown words; 0 but at `<unk>`, int64 [token]."""


def charge_spelling(stream: TokenStream, unknown: int | None, counted: Mapping[str, Any] | None) -> Spelling | None:
    """Return what the unknown words of each chapter cost and hold; None for an open tokenizer.

    Args:
        stream: the chapters of a split.
        unknown: the token `<unk>`.
        counted: `nats` and `characters` of the unknown words of each chapter, as `tokens.json` has them.
    """
    if unknown is None or counted is None:
        return None
    nats, characters = [], []
    for index in range(stream.chapters):
        places = np.flatnonzero(stream.chapter(index) == unknown)
        length = stream.lengths[index]
        nats.append(np.zeros(length))
        characters.append(np.zeros(length, dtype=np.int64))
        if len(places):
            nats[-1][places] = counted["nats"][index] / len(places)
            # Whole numbers that add up: the first `rest` words hold one more.
            each, rest = divmod(int(counted["characters"][index]), len(places))
            characters[-1][places] = each + (np.arange(len(places)) < rest)
    return Spelling(nats, characters)
