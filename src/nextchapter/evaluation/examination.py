"""What is measured of a chapter that a model wrote, each number beside those of real passages of the same length."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nextchapter.corpus.passages import cut_passages, cut_words, spread_out
from nextchapter.corpus.words import count_words
from nextchapter.evaluation.copying import Copies, find_copies
from nextchapter.evaluation.delta import Reference, build_reference, measure_delta
from nextchapter.evaluation.style import CURVE_STEP_WORDS, measure_style, type_token_curve
from nextchapter.spec.examination import ExaminationSpec

WORDS_MAX = 2000
"""Of a longer chapter the first so many words are compared with real passages; copies are looked for in all."""
CHAPTERS_A_PASSAGE = 4
"""Of more held-out chapters than so many for each passage that is wanted, those spread evenly over them are read."""
NGRAMS = (4, 8, 16)
AUTHOR_PASSAGES = 30
LOW, HIGH = 0.05, 0.95
"""Quantiles of the real passages between which nine in ten of them lie."""


class Sources(NamedTuple):
    """What a chapter is compared with."""

    training: Iterable[str]
    """The training chapters."""
    trained_on: str
    """One of them, which stands for a chapter that is copied as a whole."""
    held_out: Sequence[str]
    """Chapters that no model trained on."""
    authors: Mapping[str, str]
    """What authors have written, by name; of the shelf's, from training chapters alone."""
    author: str
    """The one whose book the chapter goes on with."""


class Examination(NamedTuple):
    """What was found."""

    words: int
    """Of the whole chapter."""
    compared_words: int
    """Of the part that is compared, and of each real passage."""
    passages: int
    measures: dict[str, dict[str, float]]
    """By name: the value of the `chapter`, and `low`, `median`, `high` and `most` of the real passages."""
    copied_text: str
    """The longest span that stands in training, or nothing."""
    copied_from: int
    """The training chapter it stands in, by its place; -1 for none."""
    ceiling: dict[str, float]
    """The measures of copying for a passage of training itself."""
    deltas: dict[str, float]
    """Burrows's Delta between the chapter and each author."""
    nearest_is_author_share: float | None
    """Of the real passages, those that Delta puts nearest to their author; None where there is no other author."""
    curve: list[dict[str, float]]
    """Different words among the first ones: `words`, `chapter`, `low`, `median`, `high`."""


def examine(text: str, sources: Sources, spec: ExaminationSpec) -> Examination:
    """Return what is found of a chapter.

    Args:
        text: the chapter, without its heading.
        sources: what it is compared with.
        spec: how many passages and words.

    Raises:
        ValueError: the chapter or the held-out chapters hold no word.
    """
    held_out = "\n\n".join(spread_out(sources.held_out, CHAPTERS_A_PASSAGE * spec.passages))
    words = count_words(text)
    compared = min(words, WORDS_MAX, count_words(held_out))
    if not compared:
        raise ValueError("there is no word to compare in the chapter or in the chapters held back")
    passages = spread_out(cut_passages(held_out, compared), spec.passages)
    beginning = cut_words(text, 0, compared)
    ceiling = cut_words(sources.trained_on, 0, compared)
    own, trained, *real = find_copies([text, ceiling, *passages], sources.training)
    reference = _reference(sources, compared, spec.frequent_words)
    found = [_measure(part, copies, reference, sources.author) for part, copies in zip(passages, real, strict=True)]
    chapter = _measure(beginning, own, reference, sources.author)
    start = int(own.lengths.argmax())
    return Examination(
        words=words,
        compared_words=compared,
        passages=len(passages),
        measures={name: {"chapter": chapter[name], **_range([one[name] for one in found])} for name in chapter},
        copied_text=cut_words(text, start, own.longest),
        copied_from=int(own.chapters[start]),
        ceiling=_measure_copies(trained),
        deltas=measure_delta(reference, beginning),
        nearest_is_author_share=_recognised(found),
        curve=_curve(beginning, passages),
    )


def _reference(sources: Sources, words: int, frequent_words: int) -> Reference:
    """Return the authors' z-scores over passages of the length that is compared; one with less text has one passage."""
    passages = {
        author: spread_out(cut_passages(text, words), AUTHOR_PASSAGES) or [text]
        for author, text in sources.authors.items()
    }
    return build_reference(passages, frequent_words)


def _measure(text: str, copies: Copies, reference: Reference, author: str) -> dict[str, float]:
    deltas = measure_delta(reference, text)
    own = deltas.pop(author)
    to_others = {"delta_to_nearest_other": min(deltas.values())} if deltas else {}
    return {**_measure_copies(copies), "delta_to_author": own, **to_others, **measure_style(text)}


def _measure_copies(copies: Copies) -> dict[str, float]:
    return {"longest_copied_words": float(copies.longest), **{f"copied_{n}gram_share": copies.share(n) for n in NGRAMS}}


def _range(values: Sequence[float]) -> dict[str, float]:
    low, median, high = np.quantile(values, [LOW, 0.5, HIGH])
    return {"low": float(low), "median": float(median), "high": float(high), "most": max(values)}


def _recognised(found: Sequence[Mapping[str, float]]) -> float | None:
    if "delta_to_nearest_other" not in found[0]:
        return None
    return float(np.mean([one["delta_to_author"] < one["delta_to_nearest_other"] for one in found]))


def _curve(text: str, passages: Sequence[str]) -> list[dict[str, float]]:
    own, *real = (map(float, type_token_curve(part)) for part in (text, *passages))
    steps = enumerate(zip(own, *real, strict=False), start=1)  # folding may change the number of words by a few
    return [
        {"words": float(step * CURVE_STEP_WORDS), "chapter": count, **_without_most(_range(counts))}
        for step, (count, *counts) in steps
    ]


def _without_most(found: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in found.items() if name != "most"}


def as_record(examination: Examination, **more: Any) -> dict[str, Any]:
    """Return an examination as it is written to JSON, the curve apart, with more facts beside it."""
    values = examination._asdict()
    return {name: value for name, value in values.items() if name != "curve"} | more
