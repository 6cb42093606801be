from typing import Any

import numpy as np
import pytest
import torch

from nextchapter.evaluation import foresight
from nextchapter.evaluation.foresight import foresee_chapters
from nextchapter.models.registry import build_model
from nextchapter.models.scoring import score_chapters
from nextchapter.spec.evaluation import EvaluationSpec
from nextchapter.tokens.stream import TokenStream

VOCABULARY, END = 30, 1
LENGTHS = (700, 3, 311)
STREAM = TokenStream(
    np.random.default_rng(0).integers(2, VOCABULARY, size=sum(LENGTHS)).astype(np.uint16),
    np.append(0, np.cumsum(LENGTHS)),
)


def model_of(kind: str) -> Any:
    torch.manual_seed(0)
    return build_model({"kind": kind, "hidden": 12, "embedding": 8}, VOCABULARY)


@pytest.mark.parametrize("judged_tokens", [10_000, 200])
def test_each_judged_token_is_told_as_a_loop_of_steps_would(judged_tokens: int) -> None:
    model = model_of("gru")
    chapters = foresee_chapters(model, STREAM, END, EvaluationSpec(judged_tokens=judged_tokens, chunk_tokens=50))
    assert model.training
    for index, told in enumerate(chapters):
        state, before = model.initial_state(1), END
        for place, target in enumerate(STREAM.chapter(index).tolist()):
            with torch.no_grad():
                log_probs, state = model.eval().step(torch.tensor([before]), state)
            assert told.nats[place] == pytest.approx(-float(log_probs[0, target]), abs=1e-5)
            if told.is_judged[place]:
                order = log_probs[0].argsort(descending=True).tolist()
                assert told.likeliest[place] == order[0]
                assert told.confidence[place] == pytest.approx(float(log_probs[0].max().exp()), abs=1e-6)
                assert told.is_among_best[place] == (target in order[:5])
            else:
                assert (told.likeliest[place], told.confidence[place], told.is_among_best[place]) == (-1, 0.0, False)
            before = target
    judged = sum(int(told.is_judged.sum()) for told in chapters)
    assert judged == len(STREAM.tokens) if judged_tokens > 2000 else 0.6 * 200 < judged < 1.6 * 200


def test_what_is_judged_depends_neither_on_batches_nor_on_chunks_nor_on_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("lstm")
    whole = foresee_chapters(model, STREAM, END, EvaluationSpec(judged_tokens=300, batch_size=3, chunk_tokens=700))
    monkeypatch.setattr(foresight, "LOG_PROBS_AT_ONCE", 3 * VOCABULARY * 7)
    cut = foresee_chapters(model, STREAM, END, EvaluationSpec(judged_tokens=300, batch_size=1, chunk_tokens=33))
    plain = score_chapters(model, STREAM, END, 2, 100)
    for one, other, nats in zip(whole, cut, plain, strict=True):
        assert one.is_judged.tolist() == other.is_judged.tolist()
        assert one.likeliest.tolist() == other.likeliest.tolist()
        assert one.is_among_best.tolist() == other.is_among_best.tolist()
        assert one.nats == pytest.approx(nats, abs=1e-5)
        assert other.nats == pytest.approx(nats, abs=1e-5)


def test_never_more_log_probs_are_held_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows of a batch together; a single time is the least."""
    model, held = model_of("gru"), []
    forward = model.forward

    def watched(tokens: torch.Tensor, state: Any) -> Any:
        held.append(tokens.numel() * VOCABULARY)
        return forward(tokens, state)

    monkeypatch.setattr(model, "forward", watched)
    monkeypatch.setattr(foresight, "LOG_PROBS_AT_ONCE", 1000)
    foresee_chapters(model, STREAM, END, EvaluationSpec())
    assert max(held) <= 1000


def test_no_more_chapters_lie_side_by_side_than_the_model_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows = model_of("gru"), []
    initial_state = model.initial_state
    monkeypatch.setattr(model, "initial_state", lambda batch: rows.append(batch) or initial_state(batch))
    model.rows_at_once = 2
    foresee_chapters(model, STREAM, END, EvaluationSpec(judged_tokens=300))
    assert rows == [2, 1]
