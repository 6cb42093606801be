"""The texts that a tokenizer learns from or encodes: streamed from Parquet, sampled evenly, or pre-tokenised files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

_ROWS = 64
_PIECE_CHARACTERS = 8000


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


def read_pretokenized(path: Path) -> str:
    """Return the text of a pre-tokenised benchmark file (WikiText, Penn Treebank) as one chapter, for `words`.

    Its tokens stand between white space. Each line has an `<eos>` behind it; that of the last is the end of the
    chapter, so the count is the one that the field reports.
    """
    return path.read_text(encoding="utf-8").removesuffix("\n")
