"""The texts that a tokenizer learns from or encodes: streamed from Parquet, sampled evenly, or files of benchmarks."""

import bz2
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from nextchapter.corpus.batching import batch_by_size

_ROWS = 64
_PIECE_CHARACTERS = 8000
PART_CHARACTERS = 8_000_000
"""A longer file of a benchmark becomes several chapters, so that its memory is bounded."""
_BLOCK_CHARACTERS = 1_000_000
_AS_IT_IS: Mapping[str, Any] = {"encoding": "utf-8-sig", "newline": ""}
_OPENERS: Mapping[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


class ChapterTexts:
    """The texts of a table of chapters, read a few rows at a time, and as often as they are asked for."""

    def __init__(self, path: Path) -> None:
        """Take the path of a Parquet table with a column `text`."""
        self.path = path

    def __iter__(self) -> Iterator[str]:
        """Yield the texts in the order of the table."""
        with pq.ParquetFile(self.path, pre_buffer=False) as table:
            for batch in table.iter_batches(batch_size=_ROWS, columns=["text"]):
                for text in batch.column(0):
                    yield text.as_py()


def sample_texts(texts: Iterable[str], limit_mb: float) -> list[str]:
    """Return the texts, or pieces spread evenly over them, of at most `limit_mb` megabytes in UTF-8.

    Args:
        texts: are gone through twice.
        limit_mb: in millions of bytes.
    """
    total, limit = sum(_size(text) for text in texts), limit_mb * 1e6
    if total <= limit:
        return list(texts)
    chosen, taken, seen = [], 0, 0
    for text in texts:
        for piece in _pieces(text):
            size = _size(piece)
            seen += size
            if taken + size <= seen * (limit / total):
                chosen.append(piece)
                taken += size
    return chosen


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _pieces(text: str) -> Iterator[str]:
    """Cut a text into pieces of some thousand characters, behind a space or line break where there is one."""
    start = 0
    while start < len(text):
        end = start + _PIECE_CHARACTERS
        if end < len(text):
            blank = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = blank + 1 if blank > start else end
        yield text[start:end]
        start = end


@contextmanager
def open_plain(path: Path, mode: str, **options: Any) -> Iterator[Any]:
    """Open a file, decompressed where its name ends in .gz, .xz or .bz2.

    Raises:
        ValueError: what is read is no UTF-8 text, or not compressed as its name says.
    """
    try:
        with _OPENERS.get(path.suffix.lower(), open)(path, mode, **options) as file:
            yield file
    except (UnicodeDecodeError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise ValueError(f"can't read {path.name}: {error}") from error


def digest_plain(path: Path) -> str:
    """Return the SHA-256 of what a file holds, decompressed, in hexadecimal; read in blocks."""
    with open_plain(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_pretokenized(path: Path) -> Iterator[str]:
    """Yield the text of a pre-tokenised benchmark file (WikiText, Penn Treebank), a long one in pieces.

    Its tokens stand between white space. Each line has an `<eos>` behind it; that of a piece's last line is the end
    of a chapter, so the count is the one that the field reports, wherever the file is cut.

    Raises:
        ValueError: the file is no UTF-8 text, or not compressed as its name says.
    """
    with open_plain(path, "rt", encoding="utf-8-sig") as file:
        for lines in batch_by_size(file, len, PART_CHARACTERS):
            yield "\n".join(line.removesuffix("\n") for line in lines)


def count_characters(path: Path) -> int:
    """Return the code points of a text file, which is read in blocks."""
    with open_plain(path, "rt", **_AS_IT_IS) as file:
        return sum(map(len, iter(lambda: file.read(_BLOCK_CHARACTERS), "")))


def read_part(path: Path, start: int, stop: int) -> Iterator[str]:
    """Yield the code points of a text file from `start` up to `stop`, a long part in pieces.

    Raises:
        ValueError: the file is no UTF-8 text, or not compressed as its name says.
    """
    with open_plain(path, "rt", **_AS_IT_IS) as file:
        for block in _blocks(start, _BLOCK_CHARACTERS):
            file.read(block)
        for block in _blocks(stop - start, PART_CHARACTERS):
            yield file.read(block)


def _blocks(length: int, longest: int) -> Iterator[int]:
    """Yield the lengths of the pieces of a text, all but the last of them the longest."""
    for start in range(0, length, longest):
        yield min(longest, length - start)


def count_pretokenized(text: str) -> int:
    """Return how many tokens the field counts in a piece of such a file: those of its lines, and `<eos>` for each."""
    return len(text.split()) + text.count("\n") + 1
