"""The card of a registered model: what it is, learned from what, how good, what it copies, and who may use it."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from nextchapter.spec.base import digest

_BOOKS_NAMED = 12
_WORDS_QUOTED = 40
_MARKS = re.compile(r"[\\`*_\[\]|]")


def render_card(
    run: Mapping[str, Any],
    metrics: Mapping[str, Any],
    examination: Mapping[str, Any],
    account: Mapping[str, Any],
    licence: str | None,
) -> str:
    """Return the card in Markdown.

    Args:
        run: `run.json`.
        metrics: `metrics.json`.
        examination: `examination.json`.
        account: `account.json` of the shelf.
        licence: that of the books; None where it is not known.
    """
    sections = {
        "What it is": _network(run),
        "What it has read": _shelf(run, account),
        "How well it foresees": _scores(metrics["splits"]),
        "What it copies": _copying(examination),
        "Licence": _licence(licence),
        "What it is not": _LIMITS,
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {run['run']}, champion of the study {_plain(run['study'])}\n\n{body}\n"


_LIMITS = (
    "It continues a text in the manner of these books. It knows no facts, answers no questions and follows no "
    "instructions; what the books say of people, it will say again."
)


def _network(run: Mapping[str, Any]) -> str:
    made_of = f", made of {', '.join(run['members'])}" if run.get("members") else ""
    return (
        f"A language model of the kind `{run['model']['kind']}`{made_of}: {run['parameters']:,} parameters, tokenizer "
        f"`{run['tokenizer']}` of {run['vocabulary_size']:,} tokens, seed {run['seed']}. Key of the run: "
        f"`{run['run_key']}`."
    )


def _shelf(run: Mapping[str, Any], account: Mapping[str, Any]) -> str:
    """Return the titles, the sizes of the splits, and the digests of what was trained on."""
    books, totals = account["books"], account["totals"]
    named = [_title(book) for book in books[:_BOOKS_NAMED]]
    more = [f"and {len(books) - _BOOKS_NAMED:,} more"] if len(books) > _BOOKS_NAMED else []
    train, share = totals["splits"]["train"], run.get("train_share", 1)
    part = f" Of these it was given {run['train_chapters']:,} chapters, {run['train_tokens']:,} tokens." * (share < 1)
    digests = "\n".join(f"| {name} | `{sha256}` |" for name, sha256 in sorted(run["inputs"].items()))
    return (
        f"{'; '.join([*named, *more])}.\n\n"
        f"It learned from {train['chapters']:,} of {totals['chapters']:,} chapters: {train['characters']:,} "
        f"characters, {train['words']:,} words.{part} The files that it learned from, and their SHA-256 "
        f"(all together, as MLflow has it: `{digest(run['inputs'])}`):\n\n"
        f"| file | SHA-256 |\n|---|---|\n{digests}"
    )


def _title(book: Mapping[str, Any]) -> str:
    title = _plain(book.get("title") or book["book"])
    return f"*{title}* by {_plain(book['author'])}" if book.get("author") else f"*{title}*"


def _scores(splits: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| chapters | bits a character | 95 % interval | perplexity a token |", "|---|---|---|---|"]
    for split, says in (("valid", "by which it was chosen"), ("test", "that no run had seen")):
        scores = splits[split]
        interval = "" if scores["ci_low"] is None else f"{scores['ci_low']:.3f} to {scores['ci_high']:.3f}"
        lines.append(
            f"| {scores['chapters']} {says} | {scores['bits_per_character']:.3f} | {interval} "
            f"| {scores['perplexity']:.1f} |"
        )
    return "\n".join(lines) + "\n\nLess is better; 27 letters at random have 4.75 bits."


def _copying(examination: Mapping[str, Any]) -> str:
    """Return how much of the chapter that it wrote stands in the training books, beside real passages."""
    measures, place = examination["measures"], examination["copied_from"]
    longest, phrases = measures["longest_copied_words"], measures["copied_8gram_share"]
    found = (
        f"Of its chapter of {examination['words']:,} words, at most {longest['chapter']:.0f} in a row stand in the "
        f"training books (real passages of the same author: {longest['low']:.0f} to {longest['high']:.0f}), and "
        f"{phrases['chapter']:.1%} of its eight-word phrases ({phrases['low']:.1%} to {phrases['high']:.1%})."
    )
    if examination["flagged"]:
        found += f" **That is more than the {examination['max_copied_words']} words in a row that are allowed.**"
    return (
        found if place is None else f"{found} The longest: {_quoted(examination['copied_text'])}, from {_from(place)}."
    )


def _quoted(text: str) -> str:
    words = text.split()
    return "“" + _plain(" ".join(words if len(words) <= _WORDS_QUOTED else [*words[:_WORDS_QUOTED], "…"])) + "”"


def _from(place: Mapping[str, Any]) -> str:
    return f"{_plain(place['book'])}, chapter {place['chapter']}"


def _plain(text: str) -> str:
    """Return the words of others as they are read: what they hold of HTML and Markdown is shown, and does nothing."""
    return _MARKS.sub(r"\\\g<0>", escape(" ".join(text.split()), quote=False))


def _licence(licence: str | None) -> str:
    if licence is None:
        return (
            "The licence of the books is not known: the configuration does not name it (`corpus.licence`). Find out "
            "before the model, or what it writes, is passed on."
        )
    return f"Of the books: {_plain(licence)}. Of the program: MIT."
