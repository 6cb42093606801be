"""Passages of the training text as patterns of a Hopfield network, which restores them from corrupted ones.

Hebb's rule wants patterns that have nothing to do with each other. Texts are not like that: at one place of two
passages the same letter stands more often than by chance. Three codes show what this costs; in each, some neurons stand
for a place of the passage:

- `bits`: the character's number in Unicode, in binary. Its high bits are the same for all letters of an alphabet.
- `characters`: a random pattern for each character, at each place another. Frequent letters still come together.
- `pairs`: a random pattern for each character and the one before it, at each place another. Pairs repeat seldom.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from nextchapter.corpus.sentences import SPACED_ENDS, SPACELESS_ENDS
from nextchapter.diagnostics.hopfield_capacity import random_patterns
from nextchapter.models.hopfield import learn_weights, recall, recall_modern

CODES = ("bits", "characters", "pairs")
SHOWN_STORED = 8
SHOWN_PASSAGES = 4
_SENTENCE_BEGINS = re.compile(rf"(?:[{SPACED_ENDS}][\"'”’»)\]]*\s+|[{SPACELESS_ENDS}][\"'”’」』]*\s*|\n\s*)(?=\S)")
_WORD_BEGINS = re.compile(r"\s+(?=\S)")


class Code(NamedTuple):
    """Which neurons stand for what at each place of a passage."""

    words: np.ndarray
    """A pattern of +1 and -1 for each symbol at each place, float32 [place symbol bit]."""
    characters: np.ndarray
    """The character, by its number in the alphabet, that a symbol stands for [symbol]."""


class Restored(NamedTuple):
    """The characters of corrupted passages as they come back [passage place]."""

    classical: np.ndarray
    modern: np.ndarray


def choose_passages(texts: Iterable[str], most: int, characters: int) -> list[str]:
    """Return different passages, spread evenly over the texts; they begin with a sentence where one begins nearby.

    Args:
        texts: are gone through twice.
        most: number of passages; a short text has fewer.
        characters: length of a passage, each stretch of white space counted as one space.
    """
    begins = sum(max(0, len(text) - characters + 1) for text in texts)
    stride, passed = max(1.0, begins / most), 0
    found: list[str] = []
    for text in texts:
        here = max(0, len(text) - characters + 1)
        while (start := int(len(found) * stride) - passed) < here:
            found.append(_passage_at(text, start, int(start + stride), characters))
        passed += here
    return [passage for passage in dict.fromkeys(found) if len(passage) == characters]


def _passage_at(text: str, start: int, end: int, characters: int) -> str:
    """Return a passage that begins with the first sentence between two places, else with a word, else anywhere."""
    end = min(end, len(text) - characters + 1)
    found = _SENTENCE_BEGINS.search(text, start, end) or _WORD_BEGINS.search(text, start, end)
    begin = start if found is None else found.end()
    return " ".join(text[begin : begin + 4 * characters].split())[:characters]


def corrupt(numbers: np.ndarray, alphabet: int, share: float, generator: np.random.Generator) -> np.ndarray:
    """Return passages in which a share of the characters are replaced by others, any of them as likely.

    Args:
        numbers: of the characters in their alphabet [passage place].
        alphabet: its size.
        share: of each passage, at least one character.
        generator: draws places and characters.
    """
    corrupted = numbers.copy()
    count = max(1, round(share * numbers.shape[1]))
    for passage in corrupted:
        places = generator.permutation(len(passage))[:count]
        passage[places] = (passage[places] + generator.integers(1, alphabet, size=count)) % alphabet
    return corrupted


def make_code(
    kind: str, numbers: np.ndarray, alphabet: np.ndarray, bits: int, generator: np.random.Generator
) -> tuple[Code, np.ndarray]:
    """Return a code, and the symbols of some passages in it [passage place].

    Args:
        kind: one of `CODES`.
        numbers: of the characters of all passages, corrupted ones too, in the alphabet [passage place].
        alphabet: Unicode's numbers of the characters.
        bits: neurons a place.
        generator: draws the patterns.
    """
    symbols, characters = numbers, np.arange(len(alphabet))
    if kind == "bits":
        words = np.where(alphabet[:, None] >> np.arange(bits) & 1, np.float32(1), np.float32(-1))
        return Code(np.broadcast_to(words, (numbers.shape[1], *words.shape)), characters), symbols
    if kind == "pairs":
        before = np.concatenate([numbers[:, :1], numbers[:, :-1]], axis=1)  # the first one stands behind itself
        pairs, symbols = np.unique(before * len(alphabet) + numbers, return_inverse=True)
        characters = pairs % len(alphabet)
    words = random_patterns(numbers.shape[1] * len(characters), bits, generator)
    return Code(words.reshape(numbers.shape[1], len(characters), bits), characters), symbols


def encode(code: Code, symbols: np.ndarray) -> np.ndarray:
    """Return passages as patterns, float32 [passage neuron]."""
    words: np.ndarray = code.words[np.arange(symbols.shape[1]), symbols]
    return words.reshape(len(symbols), -1)


def decode(code: Code, states: np.ndarray) -> np.ndarray:
    """Return the characters of states [passage place]: at each place that of the symbol whose pattern is nearest."""
    places, _, bits = code.words.shape
    parts = states.reshape(len(states), places, bits)
    nearest = [(parts[:, place] @ code.words[place].T).argmax(axis=1) for place in range(places)]
    return np.asarray(code.characters[np.stack(nearest, axis=1)])


def restore(
    patterns: np.ndarray, probes: np.ndarray, code: Code, count: int, generator: np.random.Generator
) -> Restored:
    """Store the first patterns, show their probes, and return the characters that come back.

    Args:
        patterns: of all passages [passage neuron].
        probes: of all corrupted passages, likewise.
        code: that of both.
        count: number of patterns to store.
        generator: draws the order of the neurons.
    """
    stored, shown = patterns[:count], probes[:count]
    classical = recall(learn_weights(stored), shown, generator)
    return Restored(decode(code, classical), decode(code, recall_modern(stored, shown)))


def restore_passages(passages: Sequence[str], bits: int, corrupted_share: float, seed: int) -> dict[str, Any]:
    """Return the share of characters that each network gets right, by code and passages stored, and some samples.

    Args:
        passages: at least two, all different and of one length.
        bits: neurons a character.
        corrupted_share: of the characters of each passage that is shown.
        seed: of order, corruption, codes, and the order of the neurons.
    """
    generator = np.random.default_rng(seed)
    points = [[ord(character) for character in passages[place]] for place in generator.permutation(len(passages))]
    alphabet, numbers = np.unique(points, return_inverse=True)
    corrupted = corrupt(numbers, len(alphabet), corrupted_share, generator)
    counts = _stored_counts(len(passages))
    right, likeness, restored = {}, {}, []
    for kind in CODES:
        code, symbols = make_code(kind, np.concatenate([numbers, corrupted]), alphabet, bits, generator)
        patterns, probes = np.split(encode(code, symbols), 2)
        restored = [restore(patterns, probes, code, count, generator) for count in counts]
        right[kind] = [_share_right(found.classical, numbers) for found in restored]
        likeness[kind] = _mean_overlap(patterns)
    right["modern"] = [_share_right(found.modern, numbers) for found in restored]
    return {
        "neurons": numbers.shape[1] * bits,
        "characters": numbers.shape[1],
        "corrupted_right": _share_right(corrupted, numbers),
        "counts": counts,
        "likeness": likeness,
        "right": right,
        "samples": [
            {"stored": count, "passages": _samples(alphabet, (numbers, corrupted, *found))}
            for count, found in zip(counts, restored, strict=True)
            if count in (min(SHOWN_STORED, counts[-1]), counts[-1])
        ],
    }


def _stored_counts(most: int) -> list[int]:
    """Return 1, 2, 4, ... and the largest number of passages itself."""
    return [2**power for power in range(most.bit_length()) if 2**power < most] + [most]


def _share_right(found: np.ndarray, numbers: np.ndarray) -> float:
    return round(float(np.equal(found, numbers[: len(found)]).mean()), 4)


def _mean_overlap(patterns: np.ndarray) -> float:
    """Return the mean overlap between two different patterns: 0 for what has nothing to do with each other."""
    count = len(patterns)
    of_all_pairs = float(np.square(patterns.sum(axis=0, dtype=np.float64)).mean())
    return round((of_all_pairs - count) / (count * (count - 1)), 4)


def _samples(alphabet: np.ndarray, versions: Sequence[np.ndarray]) -> list[list[str]]:
    """Return the first passages, each as it was, corrupted, and restored by either network."""
    texts = [["".join(map(chr, alphabet[passage])) for passage in version[:SHOWN_PASSAGES]] for version in versions]
    return [list(passage) for passage in zip(*texts, strict=True)]
