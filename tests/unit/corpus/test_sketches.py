from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasketch import MinHash

from nextchapter.corpus.shingles import hash_shingles
from nextchapter.corpus.sketches import ONE_IN, PERMUTATIONS, SHINGLE_WORDS, sign, sketch_chapters, sketch_tables


def test_a_signature_is_the_one_that_datasketch_makes_value_by_value(sentences: Callable[..., str]) -> None:
    shingles = hash_shingles(sentences(2500), SHINGLE_WORDS)
    slow = MinHash(PERMUTATIONS, hashfunc=lambda value: value)
    for value in (shingles & np.uint64(2**32 - 1)).tolist():
        slow.update(value)
    assert sign(shingles).tolist() == slow.hashvalues.tolist()
    assert sign(np.concatenate([shingles[::-1], shingles])).tolist() == slow.hashvalues.tolist()


@pytest.mark.parametrize("changed", [20, 60, 150])
def test_equal_values_of_two_signatures_estimate_the_similarity(sentences: Callable[..., str], changed: int) -> None:
    words = sentences(1000).split()
    others = words[:-changed] + sentences(changed, 1).split()
    sets = [{tuple(text[place : place + 5]) for place in range(len(text) - 4)} for text in (words, others)]
    exact = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
    first, second = (sign(hash_shingles(" ".join(text), SHINGLE_WORDS)) for text in (words, others))
    assert np.mean(first == second) == pytest.approx(exact, abs=4 * (exact * (1 - exact) / PERMUTATIONS) ** 0.5)


def test_a_table_is_sketched_row_by_row(write_shelf: Callable[..., list[Path]], sentences: Callable[..., str]) -> None:
    texts = [sentences(words, words) for words in (3000, 7, 3)] + ["* * *"]
    (path,) = write_shelf({"a": texts[:2], "b": texts[2:]}, books_per_table=2)
    sketches = sketch_chapters(path)
    assert [(place.book, place.chapter) for place in sketches.places] == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert [place.sha256 for place in sketches.places] == pq.read_table(path)["sha256"].to_pylist()
    for text, signature, sample in zip(texts, sketches.signatures, sketches.samples, strict=True):
        shingles = set(hash_shingles(text, SHINGLE_WORDS).tolist())
        assert sample.tolist() == sorted(value for value in shingles if value <= (2**64 - 1) // ONE_IN)
        assert signature.tolist() == sign(hash_shingles(text, SHINGLE_WORDS)).tolist()


def test_an_empty_table_has_no_sketches(write_shelf: Callable[..., list[Path]]) -> None:
    (path,) = write_shelf({"a": []})
    assert sketch_chapters(path).signatures.shape == (0, PERMUTATIONS)


def test_more_processes_make_the_same_sketches(
    write_shelf: Callable[..., list[Path]], sentences: Callable[..., str]
) -> None:
    paths = write_shelf({name: [sentences(50, ord(name))] for name in "abc"})
    alone, together = sketch_tables(paths), sketch_tables(paths, threads=2)
    assert [table.places for table in together] == [table.places for table in alone]
    assert [table.path for table in together] == paths
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.signatures, other.signatures)
        assert [sample.tolist() for sample in one.samples] == [sample.tolist() for sample in other.samples]
