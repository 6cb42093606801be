from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.embeddings import cooccurrence
from nextchapter.embeddings.cooccurrence import (
    CooccurrenceFile,
    count_cooccurrences,
    frequent_tokens,
    unpack,
)
from nextchapter.tokens.stream import TokenStream

VOCABULARY = 40


def make_stream(lengths: list[int], seed: int = 0) -> TokenStream:
    tokens = (np.random.default_rng(seed).random(sum(lengths)) ** 3 * VOCABULARY).astype(np.uint16)
    return TokenStream(tokens, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def count_naively(stream: TokenStream, kept: np.ndarray, window: int) -> dict[tuple[int, int], float]:
    """Return X of the two loops that the definition is: over places, and over their neighbours to the right."""
    counts: dict[tuple[int, int], float] = Counter()
    for chapter in range(stream.chapters):
        tokens = [int(token) for token in stream.chapter(chapter) if kept[token]]
        for place, token in enumerate(tokens):
            for distance, other in enumerate(tokens[place + 1 : place + 1 + window], start=1):
                counts[min(token, other), max(token, other)] += 1 / distance
    return counts


def as_dict(counts: CooccurrenceFile) -> dict[tuple[int, int], float]:
    low, high = unpack(counts.read().pair)
    return dict(zip(zip(low.tolist(), high.tolist(), strict=True), counts.read().weight.tolist(), strict=True))


@pytest.mark.parametrize("window", [1, 4, 15])
@pytest.mark.parametrize("min_count", [1, 12])
def test_the_counts_are_those_of_a_double_loop(tmp_path: Path, window: int, min_count: int) -> None:
    stream = make_stream([300, 1, 5, 0, 700])
    kept = frequent_tokens(stream, VOCABULARY, min_count)
    counts = count_cooccurrences(stream, kept, window, 16, tmp_path / "x.bin")
    expected = count_naively(stream, kept, window)
    assert as_dict(counts) == pytest.approx(expected, rel=1e-7)
    assert counts.read().pair.tolist() == sorted(set(counts.read().pair.tolist()))


@pytest.mark.parametrize("occurrences", [300, 5000])
def test_what_spills_and_is_merged_is_what_fits_at_once(
    tmp_path: Path, occurrences: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = make_stream([400, 3, 900, 200], seed=1)
    kept = frequent_tokens(stream, VOCABULARY, 3)
    whole = count_cooccurrences(stream, kept, 6, 64, tmp_path / "whole.bin")
    monkeypatch.setattr(cooccurrence, "_BYTES_PER_OCCURRENCE", 2**20 // occurrences)
    monkeypatch.setattr(cooccurrence, "_BYTES_PER_MERGED_PAIR", 2**20 // 50)
    spilled = count_cooccurrences(stream, kept, 6, 1, tmp_path / "spilled.bin")
    assert spilled.path.read_bytes() == whole.path.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spilled.bin", "whole.bin"]


def test_a_merge_holds_no_more_than_it_may(tmp_path: Path) -> None:
    runs = []
    for number in range(5):
        stream = make_stream([500], seed=number)
        kept = np.ones(VOCABULARY, dtype=bool)
        runs.append(count_cooccurrences(stream, kept, 5, 16, tmp_path / f"{number}.bin"))
    parts = list(cooccurrence.merge_runs(runs, 50))
    assert max(len(part.pair) for part in parts) <= 50
    assert all(a.pair[-1] < b.pair[0] for a, b in pairwise(parts))
    total = sum(part.weight.sum() for part in parts)
    assert total == pytest.approx(sum(run.read().weight.sum() for run in runs), rel=1e-12)


@given(st.lists(st.integers(0, 8), min_size=2, max_size=5))
def test_no_pair_reaches_over_the_end_of_a_chapter(lengths: list[int]) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    tokens = np.repeat(np.arange(len(lengths)), lengths).astype(np.uint16)
    stream, kept = TokenStream(tokens, offsets), np.ones(len(lengths), dtype=bool)
    for piece in cooccurrence._pieces(stream, kept, window=20, tokens_max=3):
        low, high = unpack(cooccurrence._occurrences(piece, 20) >> np.uint64(8))
        assert np.array_equal(low, high)


def test_a_window_or_vocabulary_that_the_keys_do_not_hold_is_refused(tmp_path: Path) -> None:
    stream = make_stream([10])
    with pytest.raises(ValueError, match="window 256 must be 1 to 255"):
        count_cooccurrences(stream, np.ones(VOCABULARY, dtype=bool), 256, 1, tmp_path / "x.bin")


def test_an_empty_stream_has_no_pairs(tmp_path: Path) -> None:
    stream = TokenStream(np.empty(0, dtype=np.uint16), np.array([0]))
    kept = frequent_tokens(stream, 5, 1)
    assert not kept.any()
    assert len(count_cooccurrences(stream, kept, 5, 1, tmp_path / "x.bin")) == 0
