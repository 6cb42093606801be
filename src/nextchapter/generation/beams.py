"""Beam search: the likeliest text that so narrow a search finds, instead of a draw by chance.

At each step the `beams` likeliest continuations of all candidates are kept. The likeliest text is a dull one: it falls
into repetition the more surely the wider the search is (Holtzman et al., 2020, figure 1), which `no_repeat_ngram` and
the loop guard only patch. It is here to be seen, and for short texts.
"""

import torch

from nextchapter.generation.draft import Draft
from nextchapter.generation.sampling import FORBIDDEN, forbid_repetition
from nextchapter.generation.writer import EndedBy, allowed, ends_chapter, is_long_enough, read_opening, select_rows
from nextchapter.models.protocol import LanguageModel
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.protocol import Tokenizer


@torch.no_grad()
def search(model: LanguageModel, tokenizer: Tokenizer, opening: str, spec: WritingSpec) -> tuple[Draft, EndedBy]:
    """Return the likeliest draft a token that has ended, and how.

    Args:
        model: the model.
        tokenizer: the one that it was trained with.
        opening: first words, any text.
        spec: beams and lengths.
    """
    advance = model.prepared_step()
    log_probs, state = read_opening(model, tokenizer, opening, spec.beams)
    drafts = [Draft(tokenizer, opening) for _ in range(spec.beams)]
    scores = torch.full((spec.beams, 1), FORBIDDEN, dtype=torch.float64)
    scores[0] = 0.0  # the candidates begin alike: one of them stands for all
    ended: list[tuple[float, Draft]] = []
    while not is_long_enough(drafts[0], spec):
        following = allowed(log_probs.double(), drafts, tokenizer, spec)
        for row, draft in zip(following, drafts, strict=True):
            forbid_repetition(row, draft.tokens, spec)
        totals = (scores + torch.from_numpy(following)).flatten()
        best, places = totals.topk(min(2 * spec.beams, len(totals)))  # should each of them end in one way more
        parents, tokens = (places // log_probs.shape[1]).tolist(), (places % log_probs.shape[1]).tolist()
        found = [item for item in zip(best.tolist(), parents, tokens, strict=True) if item[0] > FORBIDDEN]
        for score, parent, _ in (item for item in found if ends_chapter(item[2], tokenizer)):
            ended.append((score / len(drafts[parent].tokens), drafts[parent]))
        going_on = [item for item in found if not ends_chapter(item[2], tokenizer)][: spec.beams]
        if len(ended) >= spec.beams or not going_on:
            break
        drafts = [drafts[parent].with_token(token) for _, parent, token in going_on]
        scores = torch.tensor([[score] for score, _, _ in going_on], dtype=torch.float64)
        log_probs, state = select_rows([parent for _, parent, _ in going_on], log_probs, state)
        log_probs, state = advance([token for _, _, token in going_on], state)
    if ended:
        return max(ended, key=lambda item: item[0])[1], "end-of-chapter"
    return drafts[0], "length"
