"""How often a model's first guess is what stands there, word by word.

Tokens of two tokenizers are not alike, words are. A word is foreseen when the model, given the true text before it and
left to write its likeliest token again and again, writes just this word and then something that does not prolong it.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from nextchapter.corpus.frequencies import WordPlaces
from nextchapter.corpus.words import WORD
from nextchapter.evaluation.foresight import Foresight
from nextchapter.tokens.protocol import Tokenizer, byte_text


class WordGuesses(NamedTuple):
    """Of one chapter, by word."""

    is_judged: np.ndarray
    """Whether all tokens that hold a part of it, and the one behind them, were judged, bool [word]."""
    is_foreseen: np.ndarray
    """Whether, besides, the word was foreseen, bool [word]."""


def prolonging_tokens(tokenizer: Tokenizer) -> np.ndarray:
    """Return for each token whether it would prolong a word that stands before it, bool [token].

    The tokens of a closed vocabulary are whole words, and prolong none. Of a byte it is not known which character it
    would have begun: it prolongs a word if most of those that it may begin do.
    """
    if tokenizer.unknown is not None:
        return np.zeros(tokenizer.vocabulary_size, dtype=bool)
    bytes_of_letters = _bytes_of_letters()
    texts = map(tokenizer.token_text, range(tokenizer.vocabulary_size))
    return np.array([text in bytes_of_letters or _prolongs_a_word(text) for text in texts])


def _prolongs_a_word(text: str) -> bool:
    match = WORD.match(f"a{text}")
    return match is not None and match.end() > 1


def _bytes_of_letters() -> set[str]:
    """Return how those bytes look that in UTF-8 begin more characters that prolong a word than others."""
    excess: Counter[int] = Counter()
    for character in filter(str.isprintable, map(chr, range(0x80, 0xD800))):  # the planes above hold few such letters
        excess[character.encode()[0]] += 1 if _prolongs_a_word(character) else -1
    return {byte_text(byte) for byte, more in excess.items() if more > 0}


def guess_words(
    foresight: Foresight,
    tokens: np.ndarray,
    token_ends: np.ndarray,
    words: WordPlaces,
    prolongs: np.ndarray,
    unknown: int | None,
) -> WordGuesses:
    """Return which words of a chapter were foreseen.

    That the likeliest token is the true one at each token of a word is the same as that the model would have written
    it, since all before it is then true as well.

    Args:
        foresight: what the model said of the chapter.
        tokens: the chapter, closed by its end.
        token_ends: where each token ends in the text.
        words: where the words are.
        prolongs: as `prolonging_tokens` returns it.
        unknown: the token `<unk>`, which is never the right word.
    """
    ends = token_ends.copy()
    ends[-1] += 1  # the end of the chapter stands behind the last word
    first = np.searchsorted(ends, words.starts, side="right")
    after = np.searchsorted(ends, words.ends, side="right")
    is_cut = ends[np.maximum(after - 1, 0)] == words.ends  # else the token that ends the word shows what follows it
    behind = after + ~is_cut
    is_wrong = (foresight.likeliest != tokens) | (tokens == (-1 if unknown is None else unknown))
    judged, wrong = (np.append(0, np.cumsum(flags)) for flags in (foresight.is_judged, is_wrong))
    looked_at = after + 1
    is_judged = judged[looked_at] - judged[first] == looked_at - first
    goes_on = is_cut & prolongs[foresight.likeliest[after]]
    return WordGuesses(is_judged, is_judged & (wrong[behind] == wrong[first]) & ~goes_on)
