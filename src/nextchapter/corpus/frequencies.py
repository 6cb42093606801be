"""Where the words of unread chapters stand, and how often each stands in the training chapters."""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from nextchapter.corpus.words import WORD
from nextchapter.store.files import atomic_path

_SPACED_WORD = re.compile(rf"[^\S\n]*({WORD.pattern})")
COLUMNS = ("chapter", "start", "end", "train_count")


class WordPlaces(NamedTuple):
    """The words of a chapter, in order."""

    starts: np.ndarray
    """First code point of each, the space before it being a part of the word, int64 [word]."""
    ends: np.ndarray
    """Behind its last code point, int64 [word]."""
    train_counts: np.ndarray
    """How often it stands in the training chapters, spelled as here, int64 [word]."""


def place_words(texts: Sequence[str], train_texts: Iterable[str]) -> list[WordPlaces]:
    """Return the words of each of some chapters; of the training chapters only what stands here too is counted."""
    wanted = {word for text in texts for word in WORD.findall(text)}
    counts: Counter[str] = Counter()
    for text in train_texts:
        counts.update(filter(wanted.__contains__, WORD.findall(text)))
    return [_places_in(text, counts) for text in texts]


def _places_in(text: str, counts: Counter[str]) -> WordPlaces:
    found = [(*match.span(), counts[match[1]]) for match in _SPACED_WORD.finditer(text)]
    return WordPlaces(*np.array(found, dtype=np.int64).reshape(-1, 3).T)


def write_words(path: Path, chapters: Sequence[WordPlaces]) -> None:
    """Write the words of some chapters as Parquet, a row each."""
    parts = [np.column_stack([np.full(len(words.starts), number), *words]) for number, words in enumerate(chapters)]
    table = pd.DataFrame(np.concatenate(parts), columns=list(COLUMNS))
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_words(path: Path, chapters: int) -> Iterator[WordPlaces]:
    """Yield the words of each of so many chapters, as `write_words` wrote them."""
    table = pd.read_parquet(path).to_numpy()
    borders = np.searchsorted(table[:, 0], np.arange(chapters + 1))
    for start, stop in itertools.pairwise(borders):
        yield WordPlaces(*table[start:stop, 1:].T)
