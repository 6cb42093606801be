import math

import numpy as np
import pytest
import torch

from nextchapter.models.protocol import CountedModel, count_parameters
from nextchapter.models.registry import build_model
from nextchapter.tokens.stream import TokenStream

STREAM = TokenStream(np.array([2, 2, 0, 1, 2, 1], dtype=np.uint16), np.array([0, 4, 6]))


def fitted(kind: str) -> CountedModel:
    model = build_model({"kind": kind}, 5)
    assert isinstance(model, CountedModel)
    model.fit(STREAM, 1)
    return model


def test_a_token_is_as_probable_as_it_was_frequent_with_one_added() -> None:
    model = fitted("unigram")
    log_probs, _ = model.step(torch.tensor([3]), model.initial_state(1))
    assert log_probs[0].exp().tolist() == pytest.approx([2 / 11, 3 / 11, 4 / 11, 1 / 11, 1 / 11], rel=1e-6)


def test_the_floor_does_not_count() -> None:
    model = fitted("uniform")
    log_probs, _ = model.step(torch.tensor([2]), model.initial_state(1))
    assert log_probs[0].tolist() == pytest.approx([-math.log(5)] * 5, rel=1e-6)


def test_their_parameters_are_what_they_have_learnt() -> None:
    assert count_parameters(fitted("unigram")) == 5
    assert count_parameters(fitted("uniform")) == 0
