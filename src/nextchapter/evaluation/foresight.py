"""What a model says of each token of unread chapters: how likely it held it and, of some, what it held likeliest.

A loss needs the probability of one token, an accuracy those of the whole vocabulary. So a part of the tokens, spread
evenly over each chapter, is judged by `forward`, in pieces that bound the memory; all others are scored by `score`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nextchapter.models.protocol import LanguageModel, State
from nextchapter.models.scoring import batches, evaluating
from nextchapter.spec.evaluation import EvaluationSpec
from nextchapter.tokens.stream import TokenStream

PERIOD = 256
"""Of so many tokens in a row the first few are judged, the same share everywhere."""
BEST = 5
"""So many of the likeliest tokens are looked at."""
LOG_PROBS_AT_ONCE = 2**24
"""Entries of `log_probs` that are held at once: 64 MB."""


class Foresight(NamedTuple):
    """Of one chapter, by token."""

    nats: np.ndarray
    """-ln p of the token, float64 [token]."""
    is_judged: np.ndarray
    """Whether the following were looked at, bool [token]; where not, they are -1, 0 and False."""
    likeliest: np.ndarray
    """The token that the model held likeliest, int64 [token]."""
    confidence: np.ndarray
    """p of that, float64 [token]."""
    is_among_best: np.ndarray
    """Whether the token was among the `BEST` likeliest, bool [token]."""


def foresee_chapters(
    model: LanguageModel, stream: TokenStream, end_of_chapter: int, spec: EvaluationSpec
) -> list[Foresight]:
    """Return what a model says of each token, for each chapter in order; each is read from its own beginning.

    Which tokens are judged follows from their place in the chapter alone: neither from batches nor from chunks.

    Args:
        model: is put into evaluation mode and back into the mode it was in.
        stream: the chapters.
        end_of_chapter: the sign that a chapter begins.
        spec: sizes of batches and chunks, and about how many tokens are judged.
    """
    judged = round(PERIOD * min(1.0, spec.judged_tokens / max(1, len(stream.tokens))))
    chapters = [_unread(length) for length in stream.lengths.tolist()]
    with evaluating(model):
        side_by_side = min(spec.batch_size, model.rows_at_once)
        for rows, chunks in batches(stream, end_of_chapter, side_by_side, spec.chunk_tokens):
            state, done = model.initial_state(len(rows)), 0
            most = max(1, LOG_PROBS_AT_ONCE // (len(rows) * model.vocabulary_size))
            for tokens, targets in chunks:
                for start, stop, is_judged in _pieces(done, done + tokens.shape[1], max(1, judged), most):
                    part = slice(start - done, stop - done)
                    told, state = _foresee(model, tokens[:, part], targets[:, part], state, is_judged)
                    for row, said in zip(rows, zip(*told, strict=True), strict=True):
                        for kept, values in zip(chapters[row], said, strict=True):
                            place = kept[start:stop]
                            place[:] = values[: len(place)]
                done += tokens.shape[1]
    return chapters


def _unread(length: int) -> Foresight:
    flags = np.zeros(length, dtype=bool)
    return Foresight(np.empty(length), flags, np.full(length, -1), np.zeros(length), flags.copy())


def _pieces(start: int, stop: int, judged: int, most: int) -> Iterator[tuple[int, int, bool]]:
    """Yield stretches of a chapter with whether they are judged, which are then no longer than `most`."""
    while start < stop:
        place = start % PERIOD
        is_judged = place < judged
        end = start + (min(judged - place, most) if is_judged else PERIOD - place)
        yield start, min(end, stop), is_judged
        start = end


def _foresee(
    model: LanguageModel, tokens: Tensor, targets: Tensor, state: State, is_judged: bool
) -> tuple[Foresight, State]:
    """Return the fields of `Foresight` of some tokens [batch time], and the state after them."""
    tokens, targets = tokens.to(model.device), targets.to(model.device)
    if not is_judged:
        nats, state = model.score(tokens, targets, state)
        flags = np.zeros(targets.shape, dtype=bool)
        return Foresight(_array(nats), flags, np.full(targets.shape, -1), np.zeros(targets.shape), flags), state
    log_probs, state = model(tokens, state)
    nats = -log_probs.gather(-1, targets.clamp_min(0)[..., None])[..., 0]
    best = log_probs.topk(min(BEST, model.vocabulary_size), dim=-1)
    is_among_best = (best.indices == targets[..., None]).any(dim=-1).cpu().numpy()
    likeliest, confidence = best.indices[..., 0].cpu().numpy(), _array(best.values[..., 0].exp())
    return Foresight(_array(nats), np.ones_like(is_among_best), likeliest, confidence, is_among_best), state


def _array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.to(torch.float64).cpu().numpy()
    return array
