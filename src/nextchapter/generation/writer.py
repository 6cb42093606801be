"""Texts that are written side by side, a token at a time, until each of them ends."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nextchapter.generation.draft import Draft
from nextchapter.generation.sampling import FORBIDDEN, Sampler
from nextchapter.models.protocol import LanguageModel, State, map_state
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.protocol import Tokenizer

EndedBy = Literal["end-of-chapter", "length"]
_OVERTIME = 1.25
"""A chapter at its greatest length may run this much longer to end its sentence."""
_TOKENS_A_WORD = 24
"""No chapter of words needs more tokens than this for each."""


class Writer:
    """Draws tokens for all drafts that have not ended; the state is carried from the first token to the last.

    A draft ends where the end of a chapter is drawn, though not before `words_min`; or after `words_max` with the
    sentence. Where the end of a chapter is that of any line too, it only ends the paragraph. What a draft becomes does
    not depend on how many are written beside it.
    """

    def __init__(
        self, model: LanguageModel, tokenizer: Tokenizer, opening: str, spec: WritingSpec, rows: int = 1
    ) -> None:
        """Let the model read the sign that a chapter begins, and the opening.

        Args:
            model: the model.
            tokenizer: the one that it was trained with; where it has `<unk>`, that is never drawn.
            opening: first words, any text.
            spec: sampling, lengths and seed.
            rows: how many texts are written.
        """
        self._tokenizer, self._spec = tokenizer, spec
        self.drafts = [Draft(tokenizer, opening) for _ in range(rows)]
        self.ended_by: list[EndedBy | None] = [None] * rows
        self._alive, self._sampler = list(range(rows)), Sampler(spec, rows)
        self._advance = model.prepared_step()
        self.log_probs, self._state = read_opening(model, tokenizer, opening, rows)
        """ln p(next token) by the model alone, before any filter, a row for each draft that has not ended."""

    @torch.no_grad()
    def step(self) -> bool:
        """Add a token to each draft that has not ended; return whether there was one."""
        self._end("length", [row for row in self._alive if is_long_enough(self.drafts[row], self._spec)])
        if not self._alive:
            return False
        drafts = [self.drafts[row] for row in self._alive]
        log_probs = allowed(self.log_probs, drafts, self._tokenizer, self._spec)
        tokens = self._sampler.draw(log_probs, [draft.tokens for draft in drafts], self._alive)
        drawn = dict(zip(self._alive, tokens, strict=True))
        self._end("end-of-chapter", [row for row in drawn if ends_chapter(drawn[row], self._tokenizer)])
        if not self._alive:
            return False
        for row in self._alive:
            self.drafts[row].append(drawn[row])
        self.log_probs, self._state = self._advance([drawn[row] for row in self._alive], self._state)
        return True

    def _end(self, reason: EndedBy, rows: Sequence[int]) -> None:
        """Go on without some of the drafts."""
        if not rows:
            return
        for row in rows:
            self.ended_by[row] = reason
        kept = [place for place, row in enumerate(self._alive) if row not in rows]
        self._alive = [self._alive[place] for place in kept]
        self.log_probs, self._state = select_rows(kept, self.log_probs, self._state)


def read_opening(
    model: LanguageModel, tokenizer: Tokenizer, opening: str, rows: int
) -> tuple[Float[Tensor, "row token"], State]:
    """Return ln p(next token) after the sign that a chapter begins and the opening, and the state, for equal rows."""
    prompt = torch.tensor([[tokenizer.end_of_chapter, *tokenizer.encode(opening)]], device=model.device)
    with torch.no_grad():
        log_probs, state = model(prompt, model.initial_state(1))
    return select_rows([0] * rows, log_probs[:, -1], state)


def select_rows(rows: Sequence[int], log_probs: Tensor, state: State) -> tuple[Tensor, State]:
    """Return some rows of both, in that order."""
    index = torch.tensor(rows, dtype=torch.int64, device=log_probs.device)
    return log_probs[index], map_state(lambda tensor: tensor[index], state)


def allowed(
    log_probs: Float[Tensor, "row token"], drafts: Sequence[Draft], tokenizer: Tokenizer, spec: WritingSpec
) -> Float[np.ndarray, "row token"]:
    """Return a copy of ln p with `FORBIDDEN` for `<unk>`, and for an end that would come too early."""
    copied: np.ndarray = log_probs.cpu().numpy().copy()  # what a model returns may be its own table
    for row, draft in zip(copied, drafts, strict=True):
        if tokenizer.unknown is not None:
            row[tokenizer.unknown] = FORBIDDEN
        if not tokenizer.end_is_line and not draft.has_words(spec.words_min):
            row[tokenizer.end_of_chapter] = FORBIDDEN
    return copied


def is_long_enough(draft: Draft, spec: WritingSpec) -> bool:
    """Return whether a draft has its words, and its last sentence has ended or should have."""
    if len(draft.tokens) > _TOKENS_A_WORD * spec.words_max + 100:
        return True
    return draft.has_words(spec.words_max) and (draft.ends_sentence or draft.has_words(int(_OVERTIME * spec.words_max)))


def ends_chapter(token: int, tokenizer: Tokenizer) -> bool:
    """Return whether a token ends the chapter, and not only a line."""
    return token == tokenizer.end_of_chapter and not tokenizer.end_is_line
