"""Intervals by block bootstrap."""

from typing import NamedTuple

import numpy as np

_DRAWS_AT_ONCE = 100


class Blocks(NamedTuple):
    """Sums over blocks of neighbouring tokens, cut within chapters."""

    nats: np.ndarray
    """float64 [block]."""
    characters: np.ndarray
    """int64 [block]."""


def cut_blocks(nats: list[np.ndarray], characters: list[np.ndarray], block_tokens: int) -> Blocks:
    """Return the sums of each block; the last block of a chapter takes a rest shorter than half a block.

    Args:
        nats: -ln p of each token of each chapter.
        characters: code points of each token of each chapter.
        block_tokens: length of a block.
    """
    nat_sums, character_sums = [], []
    for chapter_nats, chapter_characters in zip(nats, characters, strict=True):
        count = max(1, round(len(chapter_nats) / block_tokens))
        starts = np.arange(count) * len(chapter_nats) // count
        nat_sums.append(np.add.reduceat(chapter_nats, starts))
        character_sums.append(np.add.reduceat(chapter_characters, starts))
    return Blocks(np.concatenate(nat_sums), np.concatenate(character_sums))


def bootstrap_interval(blocks: Blocks, draws: int, seed: int) -> tuple[float, float] | None:
    """Return the 95 % percentile interval of bits a character, or None where there are fewer than two blocks.

    Blocks are drawn with replacement and the ratio of sums is formed anew (Efron and Tibshirani, 1993, ch. 13;
    blocks since neighbouring tokens are not independent: Künsch, 1989).
    """
    count = len(blocks.nats)
    if count < 2 or not blocks.characters.sum():
        return None
    generator = np.random.default_rng(seed)
    ratios = np.empty(draws)
    for start in range(0, draws, _DRAWS_AT_ONCE):
        stop = min(start + _DRAWS_AT_ONCE, draws)
        chosen = generator.integers(count, size=(stop - start, count))
        ratios[start:stop] = blocks.nats[chosen].sum(axis=1) / np.maximum(blocks.characters[chosen].sum(axis=1), 1)
    low, high = np.quantile(ratios / np.log(2), [0.025, 0.975])
    return float(low), float(high)
