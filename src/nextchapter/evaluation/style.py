"""Counts of how a text is written: variety, repetition, lengths, dialogue.

What a number means shows only beside that of real text of the same length: most of these depend on it.
"""

import re
from collections.abc import Sequence

import numpy as np

from nextchapter.corpus.passages import words_of
from nextchapter.corpus.sentences import ENDS, SPACELESS_ENDS
from nextchapter.corpus.words import count_words

CURVE_STEP_WORDS = 10

_SENTENCE_END = re.compile(rf"[{ENDS}]+[\"'”’»)\]]*(?=\s|$)|[{SPACELESS_ENDS}]+|\n\s*\n")
_QUOTED = re.compile(
    r"“[^”]*(?:”|$)|„[^“”]*(?:[“”]|$)|«[^»]*(?:»|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)|\"[^\"]*(?:\"|$)"
)
_SPOKEN_DASH = re.compile(r"\s*(?:[–—―]|--?\s)")
_LONGEST_PERIOD = 500


def measure_style(text: str) -> dict[str, float]:
    """Return the measures of a text, by name; words are compared in lower case.

    Returns:
        `distinct_1` to `distinct_3`: different n-grams over all n-grams (Li et al., 2016). `repeated_4gram_share`:
        4-grams that have stood before in the text, over all. `repetition_words`: see `longest_repetition`.
        `sentence_words`, `paragraph_words`: mean lengths. `dialogue_share`: of the words, those that are spoken.
    """
    words = words_of(text)
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if count_words(part)]
    sentences = [part for part in _SENTENCE_END.split(text) if count_words(part)]
    return {
        **{f"distinct_{n}": distinct_share(words, n) for n in (1, 2, 3)},
        "repeated_4gram_share": 1 - distinct_share(words, 4),
        "repetition_words": float(longest_repetition(words)),
        "sentence_words": len(words) / max(len(sentences), 1),
        "paragraph_words": len(words) / max(len(paragraphs), 1),
        "dialogue_share": sum(map(_spoken_words, paragraphs)) / max(len(words), 1),
    }


def distinct_share(words: Sequence[str], n: int) -> float:
    """Return the number of different n-grams over that of all; 1 where there is none."""
    grams = list(zip(*(words[place:] for place in range(n)), strict=False))
    return len(set(grams)) / len(grams) if grams else 1.0


def longest_repetition(words: Sequence[str]) -> int:
    """Return the most words in a row that only say again what stands directly before them.

    In `to be to be to be` these are the last four: each is the word two places before, and no fewer than two are.
    """
    _, kinds = np.unique(np.array(words, dtype=object), return_inverse=True)
    longest = 0
    for period in range(1, min(len(kinds) // 2, _LONGEST_PERIOD) + 1):
        differs = np.flatnonzero(kinds[period:] != kinds[:-period])
        run = int(np.diff(differs, prepend=-1, append=len(kinds) - period).max()) - 1
        longest = max(longest, run if run >= period else 0)
    return longest


def type_token_curve(text: str) -> list[int]:
    """Return how many different words there are among the first 10, 20, 30, ... of a text."""
    seen: set[str] = set()
    counts = []
    for place, word in enumerate(words_of(text), start=1):
        seen.add(word)
        if place % CURVE_STEP_WORDS == 0:
            counts.append(len(seen))
    return counts


def _spoken_words(paragraph: str) -> int:
    """Return the words of a paragraph in quotation marks; all, where it begins with the dash of a speaker."""
    if _SPOKEN_DASH.match(paragraph):
        return count_words(paragraph)
    return sum(map(count_words, _QUOTED.findall(paragraph)))
