"""The fitting of models that need one reading of a split: those that count, and those made of others."""

import math
import time
from collections.abc import Callable

from nextchapter.models.protocol import CountedModel, LanguageModel, Wrapper
from nextchapter.store.events import EventLog
from nextchapter.tokens.stream import TokenStream
from nextchapter.training.loop import Counters

SHORTEST_S = 0.01
"""The least that a fit is said to take, so that a speed can be told of one that took next to nothing."""


def fit_model(
    model: CountedModel | Wrapper,
    stream: TokenStream,
    end_of_chapter: int,
    validate: Callable[[LanguageModel], float],
    events: EventLog,
) -> Counters:
    """Fit a model, validate it, and write both to the log; return where the run stands, after its one step.

    Args:
        model: on the device where it is to be used.
        stream: the chapters that it is fitted to: of training if it counts, of validation if it is made of others.
        end_of_chapter: the token that also says that a chapter begins.
        validate: returns the validation loss of a model, in nats a token.
        events: an empty log.
    """
    events.append("start", 0, tokens=0)
    started = time.perf_counter()
    model.fit(stream, end_of_chapter)
    train_s = max(time.perf_counter() - started, SHORTEST_S)
    nats, tokens = validate(model), len(stream.tokens)
    metrics = {"valid/loss_nats": nats, "valid/perplexity": math.exp(min(nats, 700.0))}
    events.append("valid", 1, metrics, tokens=tokens)
    events.append("end", 1, tokens=tokens)
    events.flush()
    events.commit()
    return Counters(1, tokens, train_s, best_valid_nats=nats, best_step=1, stopped_by="budget")
