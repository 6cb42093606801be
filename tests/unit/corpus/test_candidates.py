import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.corpus.candidates import Holders, SimilarTexts, band_shape


@pytest.mark.parametrize("similarity", [0.5, 0.65, 0.8, 0.9, 0.99, 1.0])
def test_bands_fit_into_the_signature_and_miss_one_pair_in_a_thousand(similarity: float) -> None:
    bands, rows = band_shape(128, similarity)
    assert 128 - rows < bands * rows <= 128
    assert (1 - similarity**rows) ** bands <= 0.001
    more = rows + 1
    assert more > 128 or (1 - similarity**more) ** (128 // more) > 0.001


def test_texts_are_found_by_a_common_band_and_no_others() -> None:
    generator = np.random.default_rng(1)
    signatures = generator.integers(0, 4, (60, 128), dtype=np.uint32)
    signatures[50:] = signatures[:10]
    signatures[50:, 64:] = generator.integers(0, 4, (10, 64), dtype=np.uint32)
    bands, rows = band_shape(128, 0.8)
    index = SimilarTexts(signatures, 0.8)
    for number in range(60):
        expected = [
            other
            for other in range(number)
            if any(
                np.array_equal(*signatures[[number, other], band * rows : (band + 1) * rows]) for band in range(bands)
            )
        ]
        others, estimates = index.find(number)
        assert others.tolist() == expected
        same = [(signatures[number] == signatures[other]).sum() / 128 for other in expected]
        assert estimates.tolist() == same
        index.keep(number)
    assert all(place - 50 in index.find(place)[0] for place in range(50, 60))


@given(st.lists(st.sets(st.integers(0, 12)), max_size=5), st.sets(st.integers(0, 12)))
def test_the_share_of_a_sample_that_each_book_holds(books: list[set[int]], sample: set[int]) -> None:
    holders = Holders([np.array(sorted(book), np.uint64) for book in books])
    shares = holders.shares(np.array(sorted(sample), np.uint64))
    assert shares.tolist() == [len(book & sample) / max(len(sample), 1) for book in books]
