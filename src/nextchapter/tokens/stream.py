"""Token files: the chapters of a split one behind the other, and where each begins, memory-mapped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nextchapter.spec.base import SpecError
from nextchapter.store.checksums import verify_checksum
from nextchapter.store.files import atomic_path

_COUNTED_AT_ONCE = 1 << 22
_ORDER_OF_JOINING = 1 << 31
"""Keeps the order in which chapters join a share apart from those of epochs, which are drawn by [seed, epoch]."""


@dataclass(frozen=True)
class TokenStream:
    """The chapters of a split as tokens; each ends with the end-of-chapter token."""

    tokens: np.ndarray
    """All tokens, uint16 or uint32 [token]."""
    offsets: np.ndarray
    """Where each chapter begins, and where the last one ends, int64 [chapter + 1]."""

    @property
    def chapters(self) -> int:
        """Number of chapters."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each chapter, its end included, int64 [chapter]."""
        return np.diff(self.offsets)

    def chapter(self, index: int) -> np.ndarray:
        """Return the tokens of one chapter."""
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

    def share(self, share: float, seed: int) -> "TokenStream":
        """Return a share of the chapters, in the order of the shelf and held in memory.

        The seed says in which order chapters join as the share grows, so that the smaller of two lies in the larger.

        Args:
            share: of the number of chapters, above 0 and at most 1; rounded to whole chapters.
            seed: of that order.

        Raises:
            SpecError: the share is less than half a chapter.
        """
        count = round(share * self.chapters)
        if not count:
            least = f"1 / {self.chapters}, one chapter"
            raise SpecError(f"train_share: found {share:g} of {self.chapters} chapters; it must be at least {least}")
        order = np.random.default_rng([seed, _ORDER_OF_JOINING]).permutation(self.chapters)
        chosen = np.sort(order[:count])
        offsets = np.concatenate([[0], np.cumsum(self.lengths[chosen])])
        return TokenStream(np.concatenate([self.chapter(index) for index in chosen]), offsets)

    def counts(self, vocabulary_size: int) -> np.ndarray:
        """Return how often each token of a vocabulary stands here, int64 [token]; reads the file part by part."""
        counts = np.zeros(vocabulary_size, dtype=np.int64)
        for start in range(0, len(self.tokens), _COUNTED_AT_ONCE):
            counts += np.bincount(self.tokens[start : start + _COUNTED_AT_ONCE], minlength=vocabulary_size)
        return counts

    @classmethod
    def open(cls, path: Path | str, dtype: str) -> "TokenStream":
        """Map a token file and its offsets into memory, read-only.

        Raises:
            DamagedFileError: the offsets are not what was written; the file that a stage is given, it verifies itself.
        """
        data = Path(path)
        verify_checksum(offsets_path(data))
        offsets = np.fromfile(offsets_path(data), dtype=np.int64)
        tokens = np.memmap(data, dtype=dtype, mode="r") if data.stat().st_size else np.empty(0, dtype=dtype)
        return cls(tokens, offsets)


def offsets_path(data: Path | str) -> Path:
    """Return the file of offsets that belongs to a token file: `train.bin` has `train.offsets.bin`."""
    return Path(data).with_suffix(".offsets.bin")


def token_dtype(vocabulary_size: int) -> str:
    """Return the smallest unsigned type that holds all ids."""
    return "uint16" if vocabulary_size <= 2**16 else "uint32"


def write_stream(
    path: Path | str, chapters: Iterable[Sequence[int] | np.ndarray], end_of_chapter: int, dtype: str
) -> TokenStream:
    """Write chapters to a token file as they come, each closed by the end-of-chapter token; return it opened."""
    offsets = [0]
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        for tokens in chapters:
            np.append(np.asarray(tokens, dtype=dtype), np.array(end_of_chapter, dtype=dtype)).tofile(file)
            offsets.append(offsets[-1] + len(tokens) + 1)
    with atomic_path(offsets_path(path)) as temporary:
        np.asarray(offsets, dtype=np.int64).tofile(temporary)
    return TokenStream.open(path, dtype)
