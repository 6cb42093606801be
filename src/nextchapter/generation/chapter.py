"""Writing a chapter: from an opening, token by token, to an end that is an end."""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import torch

from nextchapter.corpus.words import WORD, count_words
from nextchapter.generation.sampling import FORBIDDEN, sample
from nextchapter.models.protocol import LanguageModel
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.protocol import Tokenizer

_SENTENCE_END = re.compile(r"[.!?…。！？]['\"”’»)\]]*\s*$")
_LAST_SENTENCE = re.compile(r"(?s)^.*[.!?…。！？]['\"”’»)\]]*")
_OVERTIME = 1.25
"""A chapter at its greatest length may run this much longer to end its sentence."""
_TOKENS_A_WORD = 24
"""No chapter of words needs more tokens than this for each."""


class Chapter(NamedTuple):
    """What was written."""

    text: str
    """Paragraphs with a blank line between them."""
    words: int
    ended_by: Literal["end-of-chapter", "length"]


def draw_opening(texts: Iterable[str], seed: int, tokenizer: Tokenizer) -> str:
    """Return a random whole word of the shelf: one of those that open its paragraphs, as often as they do.

    Where tokens stand in lines, it is one of those that open a line.

    Args:
        texts: the training chapters.
        seed: another seed draws another word.
        tokenizer: says whether a text is lines of tokens, and which of them are known.

    Raises:
        ValueError: the texts hold no word.
    """
    first = _first_tokens if tokenizer.end_is_line else _first_words
    words = [word for text in texts for word in first(text, tokenizer)]
    if not words:
        raise ValueError("the training chapters hold no word to begin with")
    return words[int(np.random.default_rng(seed).integers(len(words)))]


def _first_words(text: str, tokenizer: Tokenizer) -> list[str]:  # noqa: ARG001 - any word can open a chapter
    matches = map(WORD.search, text.split("\n\n"))
    return [match[0] for match in matches if match]


def _first_tokens(text: str, tokenizer: Tokenizer) -> list[str]:
    """Return the first token of each line that is a word, unless it is unknown; a heading's marks are none."""
    words = (next(filter(WORD.fullmatch, line.split()), None) for line in text.split("\n"))
    return [word for word in words if word and tokenizer.unknown not in tokenizer.encode(word)]


@torch.no_grad()
def write_chapter(model: LanguageModel, tokenizer: Tokenizer, opening: str, spec: WritingSpec) -> Chapter:
    """Return a chapter that begins with `opening`.

    The model reads the sign that a chapter begins and the opening, then writes what it draws. It ends where it draws
    the end of a chapter, though not before `words_min`; after `words_max` with the sentence. Where the end of a
    chapter is that of any line too, it only ends the paragraph.

    Args:
        model: the model.
        tokenizer: the one that it was trained with; where it has `<unk>`, that is never drawn.
        opening: first words of the chapter, any text.
        spec: sampling, lengths and seed.
    """
    device = model.device
    generator = torch.Generator().manual_seed(spec.seed)
    draft = _Draft(tokenizer, opening)
    prompt = torch.tensor([[tokenizer.end_of_chapter, *tokenizer.encode(opening)]], device=device)
    log_probs, state = model(prompt, model.initial_state(1))
    log_probs, ended = log_probs[:, -1], False
    for _ in range(_TOKENS_A_WORD * spec.words_max + 100):
        words = draft.words
        if words >= spec.words_max and (draft.ends_sentence or words > _OVERTIME * spec.words_max):
            break
        log_probs = log_probs.clone()  # what a model returns may be its own table
        if tokenizer.unknown is not None:
            log_probs[:, tokenizer.unknown] = FORBIDDEN
        if words < spec.words_min and not tokenizer.end_is_line:
            log_probs[:, tokenizer.end_of_chapter] = FORBIDDEN
        token = sample(log_probs, generator, spec.temperature, spec.top_k, spec.top_p)
        if token.item() == tokenizer.end_of_chapter and not tokenizer.end_is_line:
            ended = True
            break
        draft.append(int(token.item()))
        log_probs, state = model.step(token, state)
    text = draft.text.replace("\N{REPLACEMENT CHARACTER}", "").strip()
    if tokenizer.end_is_line:
        text = "\n\n".join(line for line in text.split("\n") if line.strip())
    if not ended:
        cut = _cut_to_sentence(text, opening)
        text = cut if count_words(cut) >= spec.words_min else text
    return Chapter(text, count_words(text), "end-of-chapter" if ended else "length")


class _Draft:
    """Text that grows by tokens; only its end is decoded anew."""

    def __init__(self, tokenizer: Tokenizer, opening: str) -> None:
        self._tokenizer = tokenizer
        self._done, self._done_words = [opening], count_words(opening)
        self._before = tokenizer.encode(opening)  # says whether a space stands before the first token
        self._tokens: list[int] = []

    def append(self, token: int) -> None:
        """Add a token; what stands before a boundary is settled."""
        if len(self._tokens) > 50 and self._tokenizer.is_boundary(token):
            settled = self._rest
            self._done.append(settled)
            self._done_words += count_words(settled)
            self._before, self._tokens = [], []
        self._tokens.append(token)

    @property
    def _rest(self) -> str:
        decode = self._tokenizer.decode
        return decode([*self._before, *self._tokens])[len(decode(self._before)) :]

    @property
    def words(self) -> int:
        return self._done_words + count_words(self._rest)

    @property
    def ends_sentence(self) -> bool:
        return bool(_SENTENCE_END.search(self._rest))

    @property
    def text(self) -> str:
        return "".join(self._done) + self._rest


def _cut_to_sentence(text: str, opening: str) -> str:
    """Return the text up to its last full sentence, if one ends behind the opening."""
    match = _LAST_SENTENCE.match(text)
    return match[0] if match and len(match[0]) > len(opening) else text
