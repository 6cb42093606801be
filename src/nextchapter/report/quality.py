"""The account of a shelf as a page: what was read, what was cut away, what came twice, and what could not be read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from nextchapter.report.figures import WIDTH_INCHES, family_colours, inline_svg
from nextchapter.report.html import FIGURES_CSS, FOLDS_CSS, cards_css, page
from nextchapter.report.wording import counted

BOOKS_OPEN = 30
"""Rows of the table of books that are seen at once; a tap opens the others."""
BOOKS_MAX = 2000
"""Rows of the table of books; further ones are counted, and stand in quality.json."""
ROWS_MAX = 100
"""Rows of every other table."""
SAMPLES_MAX = 12
"""Samples a reason of what was cut."""

_LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "cy": "Welsh", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "ga": "Irish", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ko": "Korean", "la": "Latin", "lt": "Lithuanian",
    "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovene", "sr": "Serbian", "sv": "Swedish", "tr": "Turkish",
    "uk": "Ukrainian", "und": "not known", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""Names of the most frequent ones; of another, the code is shown."""

SHELF_CSS = (
    cards_css("table.shelf", narrow="48rem")
    + """
table.shelf .count { text-align: right; font-variant-numeric: tabular-nums; }
.shelf td:first-child { overflow-wrap: anywhere; } .shelf td b { font-weight: 600; }
 .shelf td small { display: block; color: var(--muted); font-size: .82rem; }
.shelf .problem { color: var(--gold); }
.more { color: var(--muted); font-size: .9rem; margin: .5rem 0 0; }
@media (min-width: 48.01rem) { .shelf .count { white-space: nowrap; } }
"""
)
_CSS = (
    FOLDS_CSS
    + FIGURES_CSS
    + SHELF_CSS
    + """
main { max-width: 80rem; }
details > table { border-width: 1px 0 0; }
details ul { margin: 0; padding: 0 1rem 1rem 2.2rem; } li { margin: .25rem 0; }
li q { font-family: var(--serif); } li small { color: var(--muted); }
"""
)

Record = Mapping[str, Any]
_Column = tuple[str, Callable[[Record], str]]


def render_quality(quality: Record) -> str:
    """Return the page.

    Args:
        quality: the `quality.json` of a study. The language of a benchmark's text is not told.
    """
    books = quality["books"]
    body = f"""<h1>What was read</h1>
<p class="lead">{_totals(quality)}</p>
<h2>The books</h2>
{_books(books)}
{_histogram(books)}
<h2>What is learned from, and what is kept for the test</h2>
{_splits(quality["totals"]["splits"])}
{_leak(quality["leak"])}
<h2>What came twice</h2>
{_duplicates(quality["duplicates"])}
<h2>What was cut away</h2>
{_reasons(books, "removed", "Nothing was cut away.")}
<h2>What was repaired</h2>
{_reasons(books, "repaired", "Nothing had to be repaired.")}
<h2>What is kept apart</h2>
{_matter(books)}
<h2>What was not read</h2>
{_not_read(quality)}"""
    return page(f"What was read: {quality['shelf']}", _CSS, body)


def shelf_block(quality: Record) -> str:
    """Return books, use of their chapters and what of the test was read in training, to stand inside a page."""
    titles = [column for column in _BOOK_COLUMNS if column[0] in ("title", "language", "#chapters", "#words")]
    return f"""{_table(quality["books"], titles, BOOKS_OPEN, "books")}
<h3>What is learned from, and what is kept for the test</h3>
{_splits(quality["totals"]["splits"])}
{_leak(quality["leak"])}"""


def _totals(quality: Record) -> str:
    totals = quality["totals"]
    counts = [
        counted(totals["books"], "book"),
        counted(totals["chapters"], "chapter"),
        counted(totals["words"], "word"),
    ]
    return f"{counts[0]} with {counts[1]} and {counts[2]}, from the shelf {escape(str(quality['shelf']))}."


def _table(rows: Sequence[Record], columns: Sequence[_Column], most: int, noun: str) -> str:
    """Return a table: on a telephone a card a row. A column whose name begins with `#` holds numbers."""
    if not rows:
        return ""
    head = "".join(f"<th{_class(name)}>{name.lstrip('#')}</th>" for name, _ in columns)
    lines = "\n".join(
        "<tr>"
        + "".join(
            f'<td{_class(name)} data-label="{name.lstrip("#")}"><span>{show(row)}</span></td>' for name, show in columns
        )
        + "</tr>"
        for row in rows[:most]
    )
    left = len(rows) - most
    more = f'<p class="more">And {left:,} more {noun}, which stand in quality.json.</p>' if left > 0 else ""
    return f'<table class="shelf">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>\n{more}'


def _class(name: str) -> str:
    return ' class="count"' if name.startswith("#") else ""


def _books(books: Sequence[Record]) -> str:
    """Return the table of the books; of very many, all but the first wait behind a line to tap."""
    first, others = books[:BOOKS_OPEN], books[BOOKS_OPEN:]
    table = _table(first, _BOOK_COLUMNS, BOOKS_OPEN, "books")
    if not others:
        return table
    more = _table(others, _BOOK_COLUMNS, BOOKS_MAX - BOOKS_OPEN, "books")
    return f"{table}<details>\n<summary>{counted(len(others), 'more book')}</summary>\n{more}</details>"


def _title(book: Record) -> str:
    author = f"<small>{escape(book['author'])}</small>" if book["author"] else ""
    problem = f'<small class="problem">{escape(book["problem"])}</small>' if book["problem"] else ""
    return f"<b>{escape(book['title'] or book['book'])}</b>{author}{problem}"


def _language(book: Record) -> str:
    language = book.get("language") or "–"
    is_doubtful = language not in ("–", "und") and book.get("language_confidence", 1.0) < 0.9
    return escape(_LANGUAGES.get(language, language)) + "<small>not certain</small>" * is_doubtful


def _file(book: Record) -> str:
    kind = ", ".join(part for part in (book["format"], book["encoding"]) if part)
    note = f"<small>{escape(book['encoding_note'])}</small>" if book["encoding_note"] else ""
    return f"{escape(book['file'])}<small>{escape(kind)}</small>{note}"


def _changes(book: Record) -> str:
    entries = [*book["removed"], *book["repaired"]]
    return ", ".join(f"{escape(entry['reason'])}&nbsp;({entry['count']:,})" for entry in entries) or "nothing"


_BOOK_COLUMNS: tuple[_Column, ...] = (
    ("title", _title),
    ("language", _language),
    ("file", _file),
    ("#chapters", lambda book: f"{book['chapters']:,}"),
    ("#words", lambda book: f"{book['words']:,}"),
    ("cut away or repaired", _changes),
)


def _histogram(books: Iterable[Record]) -> str:
    lengths = [length for book in books for length in book["lengths"] if length > 0]
    if not lengths:
        return ""
    note = f"Half of the chapters are longer than {_median(lengths)}, where the dashed line stands."
    label = f"Histogram of the lengths of {len(lengths):,} chapters"
    return f'<h2>How long the chapters are</h2>\n<p class="note">{note}</p>\n' + inline_svg(
        lambda: draw_lengths(lengths), label
    )


def _median(lengths: Sequence[int]) -> str:
    return f"{int(np.median(lengths)):,} characters"


def draw_lengths(lengths: Sequence[int]) -> Figure:
    """Draw the histogram of the chapters' lengths in characters, all above 0."""
    figure = Figure(figsize=(WIDTH_INCHES, 2.6), layout="constrained")
    axes = figure.subplots()
    low, high = np.log10(min(lengths)), np.log10(max(lengths))
    bins = np.logspace(low - 0.05, high + 0.05, int(np.clip(round(2 * len(lengths) ** 0.5), 5, 40)))
    axes.hist(lengths, bins=bins.tolist(), color=family_colours([])["lstm"])
    axes.axvline(float(np.median(lengths)), color="black", linewidth=1, linestyle="--")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set(xlabel="characters", ylabel="chapters")
    axes.grid(visible=False, axis="x")
    return figure


def _splits(splits: Mapping[str, Record]) -> str:
    uses = {
        "train": "learned from",
        "valid": "kept to choose the best network",
        "test": "kept for the test: no network sees it before it is scored",
    }
    total = sum(split["characters"] for split in splits.values()) or 1
    rows = [{"use": use, "share": splits[name]["characters"] / total, **splits[name]} for name, use in uses.items()]
    columns: tuple[_Column, ...] = (
        ("use", lambda row: escape(row["use"])),
        ("#chapters", lambda row: f"{row['chapters']:,}"),
        ("#words", lambda row: f"{row['words']:,}"),
        ("#share of the text", lambda row: _percent(row["share"])),
    )
    return _table(rows, columns, ROWS_MAX, "parts")


def _percent(share: float) -> str:
    return "0 %" if share == 0 else "under 0.01 %" if share < 1e-4 else f"{100 * share:.{2 if share < 0.1 else 0}f} %"


def _leak(leak: Record) -> str:
    """Return, in plain words, how much of the test had been read in training."""
    sampled = ", estimated from a sample of them" if leak["sampled"] else ""
    sentence = (
        f"Of all runs of {leak['ngram']} words in the test chapters, {_percent(leak['share'])} also stand in a chapter "
        f"that is learned from{sampled}. Those a network can remember instead of foresee; a little of it, the set "
        "phrases and songs that an author repeats, is nothing to worry about."
    )
    columns: tuple[_Column, ...] = (
        ("test chapter", lambda row: f"{escape(row['book'])}, chapter {row['chapter']}"),
        ("#also learned from", lambda row: _percent(row["share"])),
    )
    return f'<p class="note" style="margin-top:1rem">{sentence}</p>' + _table(
        leak["worst"], columns, ROWS_MAX, "chapters"
    )


def _duplicates(duplicates: Sequence[Record]) -> str:
    if not duplicates:
        return '<p class="note">No chapter and no book came twice.</p>'
    characters = sum(entry["characters"] for entry in duplicates)
    books = sum(entry["chapter"] is None for entry in duplicates)
    counts = [counted(books, "whole book")] * (books > 0)
    counts += [counted(len(duplicates) - books, "chapter")] * (books < len(duplicates))
    columns: tuple[_Column, ...] = (
        ("left out", _place),
        ("because of", lambda row: _place(row["same_as"])),
        ("#how alike", _likeness),
        ("#characters", lambda row: f"{row['characters']:,}"),
    )
    lead = f"{' and '.join(counts)}, {characters:,} characters, left out: the first of each stays."
    return f'<p class="note">{lead}</p>' + _table(duplicates, columns, ROWS_MAX, "duplicates")


def _place(row: Record) -> str:
    if row["chapter"] is None:
        return f"<b>{escape(row['book'])}</b><small>the whole book</small>"
    heading = f": {escape(row['heading'])}" if row["heading"] else ""
    return f"<b>{escape(row['book'])}</b><small>chapter {row['chapter']}{heading}</small>"


def _likeness(row: Record) -> str:
    contained = "<small>of it is in there</small>" if row["kind"] == "contained" else ""
    return f"{100 * row['similarity']:.0f} %{contained}"


def _reasons(books: Iterable[Record], field: str, nothing: str) -> str:
    """Return what was removed or repaired, a line a reason, the most frequent first; a tap shows samples."""
    reasons: dict[str, list[tuple[Record, Record]]] = {}
    for book in books:
        for entry in book[field]:
            reasons.setdefault(entry["reason"], []).append((book, entry))
    if not reasons:
        return f'<p class="note">{nothing}</p>'
    ranked = sorted(reasons.items(), key=lambda item: (-sum(entry["count"] for _, entry in item[1]), item[0]))
    return "\n".join(_reason(reason, found) for reason, found in ranked)


def _reason(reason: str, found: Sequence[tuple[Record, Record]]) -> str:
    count = sum(entry["count"] for _, entry in found)
    characters = sum(entry.get("characters", 0) for _, entry in found)
    size = f", {counted(characters, 'character')}" if characters else ""
    samples = "\n".join(
        f"<li><q>{escape(entry['sample'])}</q> <small>{escape(book['title'] or book['book'])}, {entry['count']:,} ×"
        "</small></li>"
        for book, entry in found[:SAMPLES_MAX]
    )
    return f"""<details>
<summary>{escape(reason)} <span>{count:,} ×{size}, in {counted(len(found), "book")}</span></summary>
<ul>
{samples}
</ul>
</details>"""


def _matter(books: Iterable[Record]) -> str:
    """Return the prefaces and the like, which are sections of their own and no chapters."""
    rows = [{"title": book["title"] or book["book"], **entry} for book in books for entry in book["matter"]]
    if not rows:
        return '<p class="note">No preface, prologue or epilogue was found beside the chapters.</p>'
    columns: tuple[_Column, ...] = (
        ("book", lambda row: escape(row["title"])),
        ("what", lambda row: escape(row["kind"])),
        ("heading", lambda row: escape(row["heading"]) or "–"),
        ("#words", lambda row: f"{row['words']:,}"),
    )
    note = '<p class="note">Sections by the author that are no chapters are marked so and not counted.</p>'
    return note + _table(rows, columns, ROWS_MAX, "sections")


def _not_read(quality: Record) -> str:
    rows = [*quality["refused"]]
    rows += [
        {
            "file": book["book"],
            "reason": f"its language, {_LANGUAGES.get(book['language'], book['language'])}, is none of those to keep",
        }
        for book in quality["left_out_languages"]
    ]
    rows += [{"file": book["file"], "reason": book["problem"]} for book in quality["books"] if book["problem"]]
    if not rows:
        return '<p class="note">All files were read.</p>'
    columns: tuple[_Column, ...] = (
        ("file", lambda row: f"<b>{escape(row['file'])}</b>"),
        ("reason", lambda row: escape(row["reason"])),
    )
    unnamed = quality["refused_count"] - len(quality["refused"])
    more = f'<p class="more">And {counted(unnamed, "other")}, for like reasons.</p>' if unnamed else ""
    return _table(rows, columns, ROWS_MAX, "files") + more
