"""The stream scorer: -ln p of every token of every chapter, for any model.

Each chapter is scored by itself: from the initial state, with the end-of-chapter token as the sign that it begins.
Chapters lie side by side in batches and are cut into chunks only to bound memory; the score depends on neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from nextchapter.models.protocol import IGNORED, LanguageModel
from nextchapter.tokens.stream import TokenStream


def score_chapters(
    model: LanguageModel, stream: TokenStream, end_of_chapter: int, batch_size: int, chunk_tokens: int
) -> list[np.ndarray]:
    """Return -ln p of each token, in nats, float64 [token], for each chapter in order.

    The model is put into evaluation mode and back into the mode it was in.

    Args:
        model: the model.
        stream: the chapters.
        end_of_chapter: the token that also says that a chapter begins.
        batch_size: chapters that are read side by side, if the model takes as many.
        chunk_tokens: tokens that are scored at once.
    """
    nats = [np.empty(length) for length in stream.lengths]
    with evaluating(model):
        for rows, chunks in batches(stream, end_of_chapter, min(batch_size, model.rows_at_once), chunk_tokens):
            state, done = model.initial_state(len(rows)), 0
            for tokens, targets in chunks:
                scores, state = model.score(tokens.to(model.device), targets.to(model.device), state)
                for row, scored in zip(rows, scores.double().cpu().numpy(), strict=True):
                    kept = nats[row][done : done + len(scored)]
                    kept[:] = scored[: len(kept)]
                done += tokens.shape[1]
    return nats


@contextmanager
def evaluating(model: LanguageModel) -> Iterator[None]:
    """Put a model into evaluation mode, without gradients, and back into the mode it was in."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def batches(
    stream: TokenStream, end_of_chapter: int, batch_size: int, chunk_tokens: int
) -> Iterator[tuple[np.ndarray, Iterator[tuple[Tensor, Tensor]]]]:
    """Yield the numbers of chapters that are read side by side, longest first, and their chunks from first to last.

    A chunk is tokens and targets [batch time]; where a chapter has ended the target is `IGNORED`.
    """
    by_length = np.argsort(-stream.lengths, kind="stable")
    for start in range(0, stream.chapters, batch_size):
        rows = by_length[start : start + batch_size]
        yield rows, _chunks([stream.chapter(row) for row in rows], end_of_chapter, chunk_tokens)


def _chunks(chapters: list[np.ndarray], end_of_chapter: int, chunk_tokens: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (tokens, targets) [batch time] from the first to the last token of the longest chapter."""
    longest = max(len(chapter) for chapter in chapters)
    for start in range(0, longest, chunk_tokens):
        stop = min(start + chunk_tokens, longest)
        tokens = np.full((len(chapters), stop - start), end_of_chapter, dtype=np.int64)
        targets = np.full_like(tokens, IGNORED)
        for row, chapter in enumerate(chapters):
            piece = chapter[start:stop]
            targets[row, : len(piece)] = piece
            if start == 0:
                tokens[row, 1 : len(piece)] = piece[:-1]
            elif len(piece):
                tokens[row, : len(piece)] = chapter[start - 1 : start - 1 + len(piece)]
        yield torch.from_numpy(tokens), torch.from_numpy(targets)
