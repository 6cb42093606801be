"""Blocks of text at the same places for all runs, and intervals by block bootstrap."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nextchapter.store.tables import write_csv

_DRAWS_AT_ONCE = 100


class Blocks(NamedTuple):
    """Sums over blocks of neighbouring characters, cut within chapters."""

    nats: np.ndarray
    """float64 [block]."""
    characters: np.ndarray
    """Code points that the run accounts for, float64 [block]."""
    chapters: np.ndarray
    """Which chapter each block is of, int64 [block]."""


def block_borders(length: int, block_characters: int) -> np.ndarray:
    """Return where the blocks of a chapter begin and the last one ends, int64 [block + 1].

    The blocks are of one length, as near to the wanted one as it goes. The borders follow from the length of the text
    alone, so that they are the same for all tokenizers.
    """
    count = max(1, round(length / block_characters))
    return np.arange(count + 1) * length // count


def sum_before(places: np.ndarray, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sum of a value over the tokens before each of some places in their text, float64 [place].

    A token that straddles a place is shared out by its characters on either side. One without characters, such as a
    later byte of a letter or the end of the chapter, goes with the token before it. Before place 0 there is nothing.

    Args:
        places: in code points.
        ends: where each token ends, never falling; the first one begins at 0 [token].
        values: what is summed [token].
    """
    last = np.flatnonzero(np.diff(ends, append=np.inf))  # of the tokens that end at one place
    sums = np.interp(places, np.append(0, ends[last]), np.append(0.0, np.cumsum(values)[last]))
    return np.asarray(np.where(places > 0, sums, 0.0))


def sums_between(borders: np.ndarray, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sum of a value over the tokens between each two borders across the chapter, float64 [border - 1]."""
    return np.diff(np.append(sum_before(borders[1:-1], ends, values), np.sum(values)), prepend=0.0)


def cut_blocks(
    nats: Sequence[np.ndarray], characters: Sequence[np.ndarray], ends: Sequence[np.ndarray], block_characters: int
) -> Blocks:
    """Return the sums of each block.

    Args:
        nats: -ln p of each token of each chapter.
        characters: code points that each token of each chapter is accounted with.
        ends: where in its chapter each token ends.
        block_characters: length of a block.
    """
    nat_sums, character_sums, chapters = [], [], []
    for chapter, (own_nats, own_characters, own_ends) in enumerate(zip(nats, characters, ends, strict=True)):
        borders = block_borders(int(own_ends[-1]), block_characters)
        nat_sums.append(sums_between(borders, own_ends, own_nats))
        character_sums.append(sums_between(borders, own_ends, own_characters))
        chapters.append(np.full(len(borders) - 1, chapter))
    return Blocks(np.concatenate(nat_sums), np.concatenate(character_sums), np.concatenate(chapters))


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


def write_blocks(path: Path, blocks: Blocks) -> None:
    """Write blocks as CSV, a row each."""
    table = pd.DataFrame({"chapter": blocks.chapters, "characters": blocks.characters, "nats": blocks.nats})
    write_csv(path, table)


def read_blocks(path: Path) -> Blocks:
    """Return the blocks in a CSV file."""
    table = pd.read_csv(path)
    return Blocks(table["nats"].to_numpy(), table["characters"].to_numpy(), table["chapter"].to_numpy())
