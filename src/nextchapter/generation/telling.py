"""A text that is told word by word while it is written: how likely each word was, and what else might have come."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from nextchapter.corpus.words import WORD
from nextchapter.generation.writer import Writer
from nextchapter.tokens.protocol import Tokenizer

ALTERNATIVES = 5
_BEGUN_WORD = re.compile(rf"(?:{WORD.pattern})['’-]?")


class Alternative(NamedTuple):
    """A token that might have come at a place."""

    token: int
    probability: float


class Piece(NamedTuple):
    """A token that was written."""

    token: int
    before: int
    """The token before it."""
    probability: float
    """What the model alone gave it, whatever filters and temperature then made of that."""
    alternatives: tuple[Alternative, ...]
    """The likeliest tokens at its place, the likeliest first; it may be one of them."""


class Word(NamedTuple):
    """A word, or a mark between words, with the white space before it."""

    text: str
    pieces: tuple[Piece, ...]

    @property
    def probability(self) -> float:
        """Of all its pieces, each given those before."""
        return math.prod(piece.probability for piece in self.pieces)


def tell_words(writer: Writer, tokenizer: Tokenizer) -> Iterator[Word]:
    """Let a writer of one draft write to its end; yield each word as soon as it is whole.

    The texts of the words, behind the opening, are the text of the draft. What is written depends on the writer alone,
    and no further than the word that was asked for.
    """
    (draft,) = writer.drafts
    text, told, pieces = "", len(draft.text), list[Piece]()
    while True:
        log_probs, before = writer.log_probs, draft.tokens[-1] if draft.tokens else tokenizer.end_of_chapter
        if not writer.step():
            break
        piece = describe_piece(log_probs[0], draft.tokens[-1], before)
        written = whole_characters(draft.text)
        more, told = written[told:], len(written)
        if not goes_on(text, more):
            yield Word(text, tuple(pieces))
            text, pieces = "", []
        text, pieces = text + more, [*pieces, piece]
    if text:
        yield Word(text, tuple(pieces))


def describe_piece(log_probs: Float[Tensor, " token"], token: int, before: int) -> Piece:
    """Return a token that was drawn, beside the likeliest ones.

    Args:
        log_probs: ln p(next token) by the model alone, in nats.
        token: which one was drawn.
        before: the one before it.
    """
    top = log_probs.topk(min(ALTERNATIVES, len(log_probs)))
    alternatives = map(Alternative, top.indices.tolist(), top.values.exp().tolist())
    return Piece(token, before, math.exp(float(log_probs[token])), tuple(alternatives))


def whole_characters(text: str) -> str:
    """Return a text without a last character whose bytes are not all there yet."""
    return text.rstrip("\N{REPLACEMENT CHARACTER}")


def goes_on(word: str, more: str) -> bool:
    """Return whether what comes next belongs to a word; white space belongs to the word after it.

    A joint, as in `don’t`, is kept with the word before it, since what follows it can't be known.
    """
    return not more or not word.strip() or bool(_BEGUN_WORD.fullmatch(word.lstrip() + more))
