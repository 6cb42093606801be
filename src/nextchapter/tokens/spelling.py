"""What the spelling of an unknown word costs: a character n-gram model of the rare words of the training chapters.

Interpolated Witten-Bell smoothing (Bell, Witten and Cleary, 1990; Chen and Goodman, 1999, eq. 16):

    p(c | h) = (n(h c) + t(h) p(c | h')) / (n(h) + t(h))

with n(h c) the count of c behind the context h, n(h) their sum, t(h) the number of different c seen there, and h' the
context without its first character. Below the empty context all symbols are alike: the alphabet, the end of a word, and
an escape for any other code point, of which again all are alike. So every word has a finite cost, and the probabilities
of all symbols sum to one.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping

ORDER = 5
"""Longest n-gram: four characters of context."""
END = "\n"
"""Ends a word, and stands before its first character; no word holds it."""
_CODE_POINTS = 0x110000 - 0x800
"""Of Unicode, surrogates left out."""


class SpellingModel:
    """p(word | it is unknown), by its characters."""

    def __init__(self, words: Mapping[str, int], order: int = ORDER) -> None:
        """Count the characters of some words.

        Args:
            words: the rare words, each with how often it occurs.
            order: longest n-gram, in characters.
        """
        self.order = order
        self.alphabet = frozenset("".join(words))
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for word, count in words.items():
            self._read(word, count)
        self._totals = {context: counts.total() for context, counts in self._counts.items()}

    def _read(self, word: str, count: int) -> None:
        padded = END * (self.order - 1) + word + END
        for place in range(self.order - 1, len(padded)):
            for length in range(self.order):
                self._counts[padded[place - length : place]][padded[place]] += count

    def probability(self, symbol: str | None, context: str) -> float:
        """Return p(symbol | context).

        Args:
            symbol: a character of the alphabet, `END`, or None for the escape.
            context: the characters before it; the last `order` - 1 of them count.
        """
        estimate = 1 / (len(self.alphabet) + 2)
        for length in range(self.order):
            behind = context[len(context) - length :]
            counts = self._counts.get(behind)
            if counts is None or length > len(context):
                break
            distinct = len(counts)
            seen = counts[symbol] if symbol is not None else 0
            estimate = (seen + distinct * estimate) / (self._totals[behind] + distinct)
        return estimate

    def nats(self, word: str) -> float:
        """Return -ln p of a word and its end."""
        padded = END * (self.order - 1) + word + END
        places = range(self.order - 1, len(padded))
        return math.fsum(
            self._character_nats(padded[place], padded[place - self.order + 1 : place]) for place in places
        )

    def _character_nats(self, character: str, context: str) -> float:
        if character in self.alphabet or character == END:
            return -math.log(self.probability(character, context))
        return math.log(_CODE_POINTS - len(self.alphabet)) - math.log(self.probability(None, context))
