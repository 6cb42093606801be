"""`nextchapter score` and `compare`: how runs read a text."""

import itertools
from typing import Any

from nextchapter.cli.loaded import Loaded, load
from nextchapter.cli.runs import Run
from nextchapter.evaluation.surprise import score_text

CONTEXT_WORDS = 5
"""Shown before a word that is listed."""


def score_file(run: Run, text: str) -> dict[str, Any]:
    """Return the figures of a text, and each of its words with its bits."""
    return score_loaded(load(run), text)


def score_loaded(loaded: Loaded, text: str) -> dict[str, Any]:
    """Return the same by a run that is in memory."""
    scored = score_text(loaded.model, loaded.tokenizer, text)
    return {"run": loaded.run.name, "study": loaded.run.study, **scored.record()}


def describe_score(scored: dict[str, Any], count: int) -> str:
    """Return the figures as lines, and the words that surprised the model most, where they stand."""
    lines = [
        f"{scored['run']} reads {scored['words']:,} words ({scored['characters']:,} characters)",
        f"  {scored['bits_per_character']:8.3f} bits a character   less is better; 27 letters at random have 4.75",
        f"  {scored['perplexity']:8.1f} perplexity a token as if it had to choose among so many at each step",
    ]
    surprises = scored["surprises"]
    places = sorted(range(len(surprises)), key=lambda place: -surprises[place]["bits"])[:count]
    if places:
        lines += ["", "what surprised it most, in bits:"]
        lines += [f"  {surprises[place]['bits']:5.1f}  {_in_context(surprises, place)}" for place in places]
    return "\n".join(lines)


def compare_scores(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return two scores of one text with the words' bits side by side, where both are told by words."""
    comparison: dict[str, Any] = {"runs": [first, second]}
    comparison["difference"] = second["bits_per_character"] - first["bits_per_character"]
    pairs = list(itertools.zip_longest(first["surprises"], second["surprises"]))
    if all(one and other and one["text"] == other["text"] for one, other in pairs):
        comparison["words"] = [
            {"text": one["text"], "bits": [one["bits"], other["bits"]], "difference": other["bits"] - one["bits"]}
            for one, other in pairs
        ]
    return comparison


def describe_comparison(comparison: dict[str, Any], count: int) -> str:
    """Return both figures as lines, and the words at which each run is better by most."""
    runs, words = comparison["runs"], comparison.get("words")
    width = max(len(run["run"]) for run in runs)
    lines = [f"{run['run']:<{width}}  {run['bits_per_character']:.3f} bits a character" for run in runs]
    better = runs[0 if comparison["difference"] > 0 else 1]["run"]
    lines.append(f"{better} foresees this text better, by {abs(comparison['difference']):.3f} bits a character")
    if words is None:
        return "\n".join([*lines, "", "their words can't be set side by side: one of them has a closed vocabulary"])
    by_gain = sorted(range(len(words)), key=lambda place: -words[place]["difference"])
    for run, places in ((runs[0], by_gain[:count]), (runs[1], by_gain[::-1][:count])):
        gained = [place for place in places if words[place]["difference"] * (1 if run is runs[0] else -1) > 0]
        if gained:
            lines += ["", f"where {run['run']} is better, with the bits of both:"]
            lines += [f"  {_both(words[place])}  {_in_context(words, place)}" for place in gained]
    return "\n".join(lines)


def _both(word: dict[str, Any]) -> str:
    return " ".join(f"{bits:5.1f}" for bits in word["bits"])


def _in_context(items: list[dict[str, Any]], place: int) -> str:
    """Return a word in brackets behind the words before it."""
    words = [item["text"] for item in items[max(0, place - CONTEXT_WORDS) : place]]
    return " ".join([*words, f"[{items[place]['text']}]"])
