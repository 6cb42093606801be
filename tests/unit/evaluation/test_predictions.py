import numpy as np
import pytest
import torch

from nextchapter.evaluation.predictions import predict_passage
from nextchapter.models.registry import build_model
from nextchapter.tokens.unigram import UnigramTokenizer


def test_each_row_holds_the_probability_that_the_model_gives_after_what_stands_before(
    tokenizer: UnigramTokenizer, salad: str
) -> None:
    torch.manual_seed(0)
    model = build_model({"kind": "gru", "hidden": 12, "embedding": 8}, tokenizer.vocabulary_size).eval()
    chapter = np.array([*tokenizer.encode(salad[:60]), tokenizer.end_of_chapter])
    table = predict_passage(model, chapter[:10], tokenizer)
    state = model.initial_state(1)
    assert len(table) == 10
    for place in range(10):
        before = tokenizer.end_of_chapter if place == 0 else int(chapter[place - 1])
        log_probs, state = model.step(torch.tensor([before]), state)
        row, expected = table.iloc[place], log_probs[0].exp().detach()
        assert row["position"] == place
        assert row["true"] == tokenizer.token_text(int(chapter[place]))
        assert row["true_probability"] == pytest.approx(float(expected[chapter[place]]), rel=1e-5)
        assert row["probability_1"] == pytest.approx(float(expected.max()), rel=1e-5)
        assert row["predicted_1"] == tokenizer.token_text(int(expected.argmax()))
    assert (table["probability_2"] <= table["probability_1"]).all()
