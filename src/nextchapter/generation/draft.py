"""A text that grows token by token: its words are counted, and its end is seen, without decoding all of it anew."""

import re
from copy import copy

from nextchapter.corpus.sentences import ENDS
from nextchapter.corpus.words import count_words
from nextchapter.tokens.protocol import Tokenizer

_SENTENCE_END = re.compile(rf"[{ENDS}]['\"”’»)\]]*\s*$")
_SETTLED_AFTER_TOKENS = 50


class Draft:
    """What was written so far, behind an opening."""

    def __init__(self, tokenizer: Tokenizer, opening: str) -> None:
        """Begin with the opening."""
        self._tokenizer = tokenizer
        self._done, self._done_words = [opening], count_words(opening)
        self._before = tokenizer.encode(opening)  # says whether a space stands before the first token
        self._rest: list[int] = []
        self._words, self._counted_at = self._done_words, 0
        self.tokens = list(self._before)
        """All tokens, those of the opening included."""

    def append(self, token: int) -> None:
        """Add a token; what stands before a boundary is settled."""
        if len(self._rest) > _SETTLED_AFTER_TOKENS and self._tokenizer.is_boundary(token):
            settled = self._unsettled
            self._done.append(settled)
            self._done_words += count_words(settled)
            self._before, self._rest = [], []
        self._rest.append(token)
        self.tokens.append(token)

    def with_token(self, token: int) -> "Draft":
        """Return a draft with one more token; this one stays as it is."""
        other = copy(self)
        other._done, other._rest = list(self._done), list(self._rest)  # noqa: SLF001 - its own class
        other.tokens = list(self.tokens)
        other.append(token)
        return other

    @property
    def _unsettled(self) -> str:
        decode = self._tokenizer.decode
        return decode([*self._before, *self._rest])[len(decode(self._before)) :]

    def has_words(self, count: int) -> bool:
        """Return whether so many words are there.

        A token ends at most one word, so they are counted only when there are tokens enough for those that lacked.
        """
        if self._words + len(self.tokens) - self._counted_at >= count:
            self._words, self._counted_at = self.words, len(self.tokens)
        return self._words >= count

    @property
    def words(self) -> int:
        """Number of words."""
        return self._done_words + count_words(self._unsettled)

    @property
    def ends_sentence(self) -> bool:
        """Whether the last sentence has ended."""
        return bool(_SENTENCE_END.search(self._unsettled))

    @property
    def text(self) -> str:
        """All of the text, the opening included."""
        return "".join(self._done) + self._unsettled
