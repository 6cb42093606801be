import numpy as np
import pytest

from nextchapter.spec.base import SpecError
from nextchapter.spec.tokens import BpeSpec, PiecesSpec, UnigramSpec
from nextchapter.tokens.bpe import BpeTokenizer
from nextchapter.tokens.pieces import PieceTokenizer
from nextchapter.tokens.unigram import UnigramTokenizer

KINDS = [(UnigramTokenizer, UnigramSpec), (BpeTokenizer, BpeSpec)]


@pytest.mark.parametrize(("tokenizer", "spec"), KINDS)
def test_a_text_too_small_for_the_vocabulary_is_refused_with_a_size_that_works(
    salad: str, tokenizer: type[PieceTokenizer], spec: type[PiecesSpec]
) -> None:
    with pytest.raises(SpecError, match=r"found 9000; .* to \d+, or add") as told:
        tokenizer.train([salad[:3000]], spec(vocabulary_size=9000))
    proposed = int(str(told.value).split("vocabulary_size to ")[1].split(",")[0])
    assert tokenizer.train([salad[:3000]], spec(vocabulary_size=proposed)).vocabulary_size == proposed


@pytest.mark.parametrize(("tokenizer", "spec"), KINDS)
def test_a_large_shelf_is_learned_from_a_sample(
    salad: str, tokenizer: type[PieceTokenizer], spec: type[PiecesSpec]
) -> None:
    texts = [salad[start : start + 8000] for start in range(0, 32_000, 8000)]
    half = tokenizer.train(texts, spec(vocabulary_size=320, train_mb=0.016))
    assert half.model == tokenizer.train([texts[1], texts[3]], spec(vocabulary_size=320)).model
    assert half.model != tokenizer.train(texts, spec(vocabulary_size=320)).model


def test_byte_pairs_merge_the_most_frequent_pair_first() -> None:
    text = " ".join(np.random.default_rng(0).choice(["abab", "abx", "yab", "zq"], size=400))
    tokenizer = BpeTokenizer.train([text], BpeSpec(vocabulary_size=270))
    pieces = [tokenizer.token_text(token) for token in range(tokenizer.vocabulary_size)]
    assert next(piece for piece in pieces[2:] if len(piece) > 1 and piece[0] not in "<\n") == "ab"
