from pathlib import Path

import numpy as np
import pytest

from nextchapter.tokens.stream import TokenStream, token_dtype, write_stream


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
def test_chapters_come_back_each_with_its_end(tmp_path: Path, dtype: str) -> None:
    write_stream(tmp_path / "train.bin", iter([[5, 6, 7], [], [60_000]]), end_of_chapter=1, dtype=dtype)
    stream = TokenStream.open(tmp_path / "train.bin", dtype)
    assert [stream.chapter(index).tolist() for index in range(stream.chapters)] == [[5, 6, 7, 1], [1], [60_000, 1]]
    assert stream.lengths.tolist() == [4, 1, 2]
    assert (tmp_path / "train.bin").stat().st_size == 7 * np.dtype(dtype).itemsize


def test_the_type_follows_the_vocabulary() -> None:
    assert [token_dtype(size) for size in (2000, 65_536, 65_537)] == ["uint16", "uint16", "uint32"]
