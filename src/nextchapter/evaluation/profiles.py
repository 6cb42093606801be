"""Where a model loses: by place in the chapter, by place between two cuts of the gradient, by frequency of words."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nextchapter.corpus.frequencies import WordPlaces
from nextchapter.evaluation.intervals import sum_before

FIRST_CHARACTERS = 100
"""The first of the stretches of a chapter; each one after it ends twice as far."""
PARTS = 8
"""Parts of the stretch between two cuts of the gradient."""
_LN_2 = float(np.log(2))


def loss_by_place(
    nats: Sequence[np.ndarray], characters: Sequence[np.ndarray], ends: Sequence[np.ndarray]
) -> list[dict[str, Any]]:
    """Return bits a character by how far into its chapter a text stands.

    Args:
        nats: -ln p of each token of each chapter.
        characters: code points that each token is accounted with.
        ends: where in its chapter each token ends.
    """
    longest = max(int(chapter[-1]) for chapter in ends)
    count = max(1, int(np.ceil(np.log2(max(1, longest) / FIRST_CHARACTERS))) + 1)
    borders = np.append(0, FIRST_CHARACTERS * 2 ** np.arange(count))
    sums = np.zeros((2, count))
    for values in zip(nats, characters, ends, strict=True):
        limits = np.minimum(borders, values[2][-1])
        sums += [np.diff(sum_before(limits, values[2], part)) for part in values[:2]]
    sums[0, -1] += sum(map(np.sum, nats)) - sums[0].sum()  # the end of an empty chapter
    return [
        {
            "low": int(low),
            "high": int(high),
            "characters": float(held),
            "bits_per_character": float(lost / held) / _LN_2,
        }
        for low, high, lost, held in zip(borders[:-1], borders[1:], *sums, strict=True)
        if held
    ]


def loss_by_place_in_truncation(nats: Sequence[np.ndarray], truncation: int) -> list[dict[str, Any]]:
    """Return nats a token by its place between two cuts of the gradient in training, in `PARTS` parts.

    The state runs on over such a cut, so that a flat line is what should come out.

    Args:
        nats: -ln p of each token of each chapter.
        truncation: tokens between two cuts.
    """
    places = np.concatenate([np.arange(len(chapter)) % truncation for chapter in nats])
    parts = places * min(PARTS, truncation) // truncation
    sums, tokens = np.bincount(parts, weights=np.concatenate(nats)), np.bincount(parts)
    borders = -(-np.arange(len(tokens) + 1) * truncation // min(PARTS, truncation))
    return [
        {"low": int(low), "high": int(high), "tokens": int(count), "nats_per_token": float(lost / count)}
        for low, high, lost, count in zip(borders[:-1], borders[1:], sums, tokens, strict=True)
        if count
    ]


def loss_by_frequency(
    nats: Sequence[np.ndarray], ends: Sequence[np.ndarray], words: Sequence[WordPlaces]
) -> list[dict[str, Any]]:
    """Return bits a word by how often the word stands in the training chapters: 0, 1 to 9, 10 to 99, and so on.

    A word is charged with all tokens that spell it and the space before it, those that hold more by their share.

    Args:
        nats: -ln p of each token of each chapter.
        ends: where in its chapter each token ends.
        words: those of each chapter.
    """
    lost = [
        sum_before(places.ends, own_ends, own_nats) - sum_before(places.starts, own_ends, own_nats)
        for own_nats, own_ends, places in zip(nats, ends, words, strict=True)
    ]
    counts = np.concatenate([places.train_counts for places in words])
    lengths = np.concatenate([places.ends - places.starts for places in words])
    classes = np.where(counts > 0, np.floor(np.log10(np.maximum(counts, 1))).astype(np.int64) + 1, 0)
    sums = (np.bincount(classes, weights=values) for values in (np.concatenate(lost), lengths))
    return [
        {
            "low": 10 ** (place - 1) if place else 0,
            "high": 10**place - 1,
            "words": int(number),
            "bits_per_word": float(total / number) / _LN_2,
            "bits_per_character": float(total / held) / _LN_2,
        }
        for place, (number, total, held) in enumerate(zip(np.bincount(classes), *sums, strict=True))
        if number
    ]
