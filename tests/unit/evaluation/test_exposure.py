import math

import numpy as np
import pytest
import torch

from nextchapter.evaluation.exposure import exposure_bits, rank_among, score_sentences
from nextchapter.models.registry import build_model
from nextchapter.tokens.characters import CharactersTokenizer


def test_the_exposure_of_a_model_with_known_ranks() -> None:
    tokenizer = CharactersTokenizer("abcd")
    model = build_model({"kind": "unigram"}, tokenizer.vocabulary_size)
    log_probs = torch.full((tokenizer.vocabulary_size,), -100.0)
    for character, bits in (("a", 1), ("b", 2), ("c", 3), ("d", 4)):
        log_probs[tokenizer.encode(character)[0]] = -bits * math.log(2)
    model.get_buffer("log_probs").copy_(log_probs)
    nats = score_sentences(model, tokenizer, ["ad", "a", "cc", "dddd", "b" * 200])
    assert nats / math.log(2) == pytest.approx([5, 1, 6, 16, 400], rel=1e-5)
    references = np.arange(1, 8) * math.log(2) + 1e-3  # 1 to 7 bits
    ranks = [rank_among(score, references) for score in nats]
    assert ranks == [5, 1, 6, 8, 8]
    assert [exposure_bits(rank, 7) for rank in ranks] == pytest.approx([3 - math.log2(5), 3, 3 - math.log2(6), 0, 0])


def test_equal_references_come_first() -> None:
    assert rank_among(2.0, np.array([2.0, 2.0, 3.0])) == 3
