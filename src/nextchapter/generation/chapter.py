"""Writing a chapter: from an opening, token by token, to an end that is an end."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from nextchapter.corpus.sentences import ENDS
from nextchapter.corpus.words import WORD, count_words
from nextchapter.generation.beams import search
from nextchapter.generation.draft import Draft
from nextchapter.generation.quotes import close_quotes
from nextchapter.generation.writer import EndedBy, Writer
from nextchapter.models.protocol import LanguageModel
from nextchapter.spec.writing import WritingSpec
from nextchapter.tokens.protocol import Tokenizer

_LAST_SENTENCE = re.compile(rf"(?s)^.*[{ENDS}]['\"”’»)\]]*")


class Chapter(NamedTuple):
    """What was written."""

    text: str
    """Paragraphs with a blank line between them."""
    words: int
    ended_by: EndedBy


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


def write_chapter(model: LanguageModel, tokenizer: Tokenizer, opening: str, spec: WritingSpec) -> Chapter:
    """Return a chapter that begins with `opening`; the same specification and seed give the same.

    Args:
        model: the model.
        tokenizer: the one that it was trained with.
        opening: first words of the chapter, any text.
        spec: sampling, lengths and seed.
    """
    return write_chapters(model, tokenizer, opening, spec)[0]


def write_chapters(model: LanguageModel, tokenizer: Tokenizer, opening: str, spec: WritingSpec) -> list[Chapter]:
    """Return `candidates` chapters that were drawn side by side, or the one that a beam search finds."""
    if spec.beams > 1:
        return [finish(*search(model, tokenizer, opening, spec), opening, tokenizer, spec)]
    writer = Writer(model, tokenizer, opening, spec, rows=spec.candidates)
    while writer.step():
        pass
    endings = [ended_by or "length" for ended_by in writer.ended_by]
    return [finish(*ended, opening, tokenizer, spec) for ended in zip(writer.drafts, endings, strict=True)]


def finish(draft: Draft, ended_by: EndedBy, opening: str, tokenizer: Tokenizer, spec: WritingSpec) -> Chapter:
    """Return a draft as a chapter: cut to its last sentence where it was broken off, quotation marks in pairs."""
    text = draft.text.replace("\N{REPLACEMENT CHARACTER}", "").strip()
    if tokenizer.end_is_line:
        text = "\n\n".join(line for line in text.split("\n") if line.strip())
    if ended_by == "length":
        cut = _cut_to_sentence(text, opening)
        text = cut if count_words(cut) >= spec.words_min else text
    text = close_quotes(text, given=opening.strip())
    return Chapter(text, count_words(text), ended_by)


def _cut_to_sentence(text: str, opening: str) -> str:
    """Return the text up to its last full sentence, if one ends behind the opening."""
    match = _LAST_SENTENCE.match(text)
    return match[0] if match and len(match[0]) > len(opening) else text
