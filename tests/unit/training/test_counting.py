from pathlib import Path

import numpy as np
import pytest

from nextchapter.models.protocol import CountedModel, LanguageModel
from nextchapter.models.registry import build_model
from nextchapter.store.events import Event, EventLog, read_events
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.counting import SHORTEST_S, fit_model

STREAM = TokenStream(np.array([2, 3, 1, 2, 1], dtype=np.uint16), np.array([0, 3, 5]))


def test_a_fit_is_one_step_whose_record_is_final_when_it_ends(tmp_path: Path) -> None:
    model, heard = build_model({"kind": "unigram"}, 4), list[list[Event]]()
    assert isinstance(model, CountedModel)
    seen: list[float] = []

    def validate(fitted: LanguageModel) -> float:
        seen.append(fitted.get_buffer("log_probs")[2].exp().item())
        return 1.25

    events = EventLog(tmp_path / "events.jsonl", (heard.append,))
    counters = fit_model(model, STREAM, 1, validate, events)
    events.close()
    assert seen == [pytest.approx(3 / 9)]  # validated once, fitted
    assert (counters.step, counters.best_step, counters.tokens, counters.stopped_by) == (1, 1, 5, "budget")
    assert counters.best_valid_nats == 1.25
    assert counters.train_s >= SHORTEST_S
    (final,) = heard
    assert final == list(read_events(tmp_path / "events.jsonl"))
    assert [event["event"] for event in final] == ["start", "valid", "end"]
    assert final[1]["metrics"] == {"valid/loss_nats": 1.25, "valid/perplexity": pytest.approx(np.exp(1.25))}
