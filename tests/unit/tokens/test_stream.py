from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nextchapter.spec.base import SpecError
from nextchapter.tokens import stream as streams
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


@pytest.fixture
def shelf(tmp_path: Path) -> TokenStream:
    """Return forty chapters of different lengths; each says its number over and over."""
    chapters = [[100 + number] * (1 + number % 7) for number in range(40)]
    return write_stream(tmp_path / "train.bin", chapters, end_of_chapter=1, dtype="uint16")


def numbers_in(stream: TokenStream) -> list[int]:
    return [int(stream.chapter(index)[0]) - 100 for index in range(stream.chapters)]


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_larger_share_holds_all_of_a_smaller_one(shelf: TokenStream, seed: int) -> None:
    held = [set(numbers_in(shelf.share(share, seed))) for share in (1 / 32, 1 / 8, 0.5, 0.75, 1.0)]
    assert [len(numbers) for numbers in held] == [1, 5, 20, 30, 40]
    assert all(smaller < larger for smaller, larger in pairwise(held))


def test_a_share_is_whole_chapters_in_the_order_of_the_shelf_chosen_by_seed(shelf: TokenStream, tmp_path: Path) -> None:
    share = shelf.share(0.3, seed=5)
    numbers = numbers_in(share)
    assert numbers == sorted(set(numbers))
    assert numbers != list(range(12))
    assert numbers != numbers_in(shelf.share(0.3, seed=6))
    alone = write_stream(tmp_path / "alone.bin", [[100 + n] * (1 + n % 7) for n in numbers], 1, "uint16")
    assert share.tokens.tolist() == alone.tokens.tolist()
    assert share.tokens.dtype == alone.tokens.dtype
    assert share.offsets.tolist() == alone.offsets.tolist()


def test_the_whole_is_a_share_of_itself_and_less_than_half_a_chapter_is_none(shelf: TokenStream) -> None:
    assert shelf.share(1, seed=3).tokens.tolist() == shelf.tokens.tolist()
    assert shelf.share(0.013, seed=3).chapters == 1
    with pytest.raises(SpecError, match=r"train_share: found 0\.012 of 40 chapters; it must be at least 1 / 40"):
        shelf.share(0.012, seed=3)


def test_tokens_are_counted_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_COUNTED_AT_ONCE", 3)
    stream = TokenStream(np.array([3, 1, 3, 3], dtype=np.uint16), np.array([0, 4]))
    assert stream.counts(5).tolist() == [0, 1, 0, 3, 0]
