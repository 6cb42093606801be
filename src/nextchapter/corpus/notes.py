"""Notes that are not part of the running text: footnotes with their marks, and what a transcriber says of the file."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

from nextchapter.corpus.document import HEADING
from nextchapter.corpus.lines import places_of
from nextchapter.corpus.removals import Removals

_WORD = "Footnotes?|Note|Fu(?:ß|ss)note|Anmerkung|Nota|Noot|Fotnot|Przypis|Сноска|Примечание"
_TRANSCRIBER = (
    r"transcriber[’']?s?[’']?\s+(?:end\s?)?notes?|transcription notes?|anmerkung(?:en)? (?:zur|der) transkription|"
    r"anmerkung(?:en)? des bearbeiters|notes?\s+d[ue] (?:la )?transcri(?:pteur|ption)|note\s+sur la transcription|"
    r"au lecteur de ce fichier|nota(?:s)? d(?:el|o|el) transcri(?:ptor|tor)|nota del trascrittore|"
    r"opmerkingen van de bewerker|transkriptionsanm"
)
# `[Footnote 1: ...]`, over paragraphs and with brackets inside.
_OPENING = re.compile(rf"\[[ _]*(?:(?:{_WORD})\b(?P<mark>[^\[\]:]{{0,12}}):|(?P<by>{_TRANSCRIBER}))", re.IGNORECASE)
_BRACKET_OR_HEADING = re.compile(rf"[\[\]{HEADING}]")
_LONGEST_BRACKET = 20_000
_PUNCTUATION = ".,;:!?\"'”’»)_—…。，"
_TRANSCRIBER_PARAGRAPH = re.compile(rf"\n\n[ \t*]*(?:{_TRANSCRIBER})\b[ \t]*[:.—–-][^\n]*(?:\n[^\n]+)*", re.IGNORECASE)
_PARAGRAPH = r"[^\n]*(?:\n[^\n]+)*"
_BRACKETED_NOTE = re.compile(rf"\n\n[ \t]*[\[{{](?P<mark>\d{{1,4}}|[*†‡]{{1,4}})[\]}}][ \t]*(?=\S){_PARAGRAPH}")
_BRACKETED_MARK = re.compile(r"[\[{](?P<mark>\d{1,4}|[*†‡]{1,4})[\]}]")
_LETTERS = re.compile(r"[A-Za-z]{1,2}")
_FIRST_MARKS = {"[": ("[1]", "[*]"), "{": ("{1}", "{*}")}
_RAISED_NOTE = re.compile(rf"\n\n[ \t]*(?P<mark>[¹²³⁰⁴-⁹]{{1,3}})[ \t]*(?=\S){_PARAGRAPH}")
_RAISED_MARK = re.compile(r"(?P<mark>[¹²³⁰⁴-⁹]{1,3})")
_FEWEST_MARKS = 5
_MATCHING_SHARE = 0.6
_RISING_SHARE = 0.7


def remove_notes(text: str, removals: Removals) -> str:
    """Return a book's text without footnotes, their marks, and transcriber's notes.

    A number in brackets is a note's mark only where notes stand in the book as well, with most of the same numbers, or
    where many such marks count up from 1; else it may be anything.
    """
    told: set[str] = set()
    if "[" in text:
        text = _remove_told(text, told, removals)
        text = _remove_lettered_marks(text, sorted(filter(_LETTERS.fullmatch, told)), removals)
    text = _remove_transcribers_paragraphs(text, removals)
    if told or _has_first_mark(text):
        text = _remove_matched(text, _BRACKETED_NOTE, _BRACKETED_MARK, told, removals)
    if "¹" in text:
        text = _remove_matched(text, _RAISED_NOTE, _RAISED_MARK, set(), removals)
    return text


def _has_first_mark(text: str) -> bool:
    return any(text.startswith(marks, place) for sign, marks in _FIRST_MARKS.items() for place in places_of(text, sign))


def _remove_told(text: str, told: set[str], removals: Removals) -> str:
    """Return text without the notes in brackets that say what they are; `told` gets the numbers of footnotes."""
    kept: list[str] = []
    at = 0
    for opening in _OPENING.finditer(text):
        end = _bracket_end(text, opening.start()) if opening.start() >= at else None
        if end is None:
            continue
        is_footnote = opening["by"] is None
        if is_footnote:
            told.add(opening["mark"].strip())
        removals.add("footnote" if is_footnote else "transcriber's note", text[opening.start() : end])
        kept.append(text[at : opening.start()])
        at = end
    return "".join([*kept, text[at:]])


def _remove_lettered_marks(text: str, letters: Sequence[str], removals: Removals) -> str:
    """Return text without the marks of the footnotes that say so and are called by these letters: `[A]`."""
    if not letters:
        return text
    marks = re.finditer(rf"\[(?:{'|'.join(letters)})\]", text)
    found = [mark for mark in marks if _follows_word(text, mark.start())]
    for mark in found:
        removals.add("footnote mark", mark[0])
    return _without(text, [mark.span() for mark in found])


def _remove_transcribers_paragraphs(text: str, removals: Removals) -> str:
    """Return text without the paragraphs that begin by saying that a transcriber speaks."""
    notes = list(_TRANSCRIBER_PARAGRAPH.finditer(text))
    for note in notes:
        removals.add("transcriber's note", note[0])
    return _without(text, [note.span() for note in notes])


def _bracket_end(text: str, start: int) -> int | None:
    """Return where the bracket closes that opens at `start`, those inside it closed before.

    None if that is too far, or behind a heading that the format marks, or in another row of a table.
    """
    depth = 0
    for sign in _BRACKET_OR_HEADING.finditer(text, start, start + _LONGEST_BRACKET):
        if sign[0] == HEADING:
            return None
        depth += 1 if sign[0] == "[" else -1
        if depth == 0:
            return sign.end()
    return None


def _remove_matched(text: str, note: re.Pattern[str], mark: re.Pattern[str], told: set[str], removals: Removals) -> str:
    """Return text without the paragraphs that are notes, and without the marks that lead to them.

    Args:
        text: the text of the book.
        note: what a note looks like.
        mark: what its mark in the running text looks like.
        told: numbers of the notes that were found by their own words already.
        removals: where notes and marks are noted.
    """
    marks = [found for found in mark.finditer(text) if _follows_word(text, found.start())]
    if not marks:
        return text
    notes = list(note.finditer(text))
    numbers = told | {found["mark"] for found in notes}
    matching = [found for found in marks if found["mark"] in numbers]
    if len(matching) < _MATCHING_SHARE * len(marks) or len(matching) < _MATCHING_SHARE * len(notes):
        notes, matching = [], marks if _count_up([found["mark"] for found in marks]) else []
    for found in notes:
        removals.add("footnote", found[0])
    for found in matching:
        removals.add("footnote mark", found[0])
    return _without(text, sorted([found.span() for found in [*notes, *matching]]))


def _follows_word(text: str, place: int) -> bool:
    """Return whether a letter or a sign of punctuation stands directly, or one space, before a place."""
    before = text[max(0, place - 2) : place].removesuffix(" ")[-1:]
    return before.isalpha() or (before != "" and before in _PUNCTUATION)


def _count_up(numbers: Sequence[str]) -> bool:
    """Return whether marks are many and most go on by one, or begin again with 1."""
    values = [int(unicodedata.normalize("NFKC", number)) for number in numbers if number[0].isdigit()]
    rising = sum(after in (before + 1, 1) for before, after in pairwise(values))
    is_counted = bool(values) and values[0] == 1 and len(set(values)) >= _FEWEST_MARKS
    return is_counted and rising >= _RISING_SHARE * (len(values) - 1)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return text without the stretches given in order; those inside others are skipped."""
    kept: list[str] = []
    at = 0
    for start, end in spans:
        if start >= at:
            kept.append(text[at:start])
            at = end
    return "".join([*kept, text[at:]])
