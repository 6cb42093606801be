"""The leaderboard as a page: a table on a wide screen, a card a run on a narrow one, each column explained.

Where runs differ in the seed alone, a table of their means stands before that of the runs.
"""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import pandas as pd

from nextchapter.report.configurations import compare_configurations, have_seeds
from nextchapter.report.html import cards_css, page
from nextchapter.report.leaderboard import rank_labels
from nextchapter.report.wording import counted, duration

TABLE_CSS = (
    cards_css("table.leaderboard", narrow="62rem")
    + """
table.leaderboard th { text-align: right; } .leaderboard td { text-align: right; font-variant-numeric: tabular-nums; }
.leaderboard td.run, .leaderboard td.configuration { font-weight: 600; }
.leaderboard tr.champion td { background: var(--gold-paper); }
.badge { color: var(--gold); font-size: .75rem; font-weight: 700; white-space: nowrap; }
.leaderboard .flag { font-size: .75rem; white-space: nowrap; }
.score { font-size: 1.1rem; font-weight: 700; }
.interval { display: block; position: relative; height: 6px; min-width: 7rem; margin: .3rem 0 .1rem; border-radius: 3px;
  background: var(--line); }
.interval i { position: absolute; top: 0; height: 6px; border-radius: 3px; background: rgb(var(--accent) / .45);
  left: var(--low); width: var(--wide); }
.interval b { position: absolute; top: -3px; width: 4px; height: 12px; margin-left: -2px; border-radius: 2px;
  background: var(--accent-ink); left: var(--at); }
.range { color: var(--muted); font-size: .78rem; white-space: nowrap; }
dl.columns { display: grid; grid-template-columns: minmax(9rem, max-content) 1fr; gap: .5rem 1.2rem; max-width: 54rem; }
.columns dt { font-weight: 600; } .columns dd { margin: 0; color: var(--muted); }
@media (min-width: 62.01rem) { .leaderboard td { white-space: nowrap; } table.leaderboard .text { text-align: left; }
  .leaderboard td.run, .leaderboard td.configuration { white-space: normal; overflow-wrap: anywhere;
    min-width: 9rem; } }
@media (max-width: 62rem) { dl.columns { display: block; } .columns dd { margin: 0 0 .8rem; } }
"""
)
BRIEF = (
    "rank", "run", "configuration", "runs", "model", "test_bits_per_character", "standard_deviation", "test_perplexity",
    "test_word_accuracy", "longest_copied_words", "parameters", "train_seconds",
)  # fmt: skip
"""The columns that say most."""


class _Column(NamedTuple):
    name: str
    heading: str
    show: Callable[[Any], str]
    meaning: str
    text: bool = False


def _words(value: Any) -> str:
    return escape(str(value))


def _decimals(places: int) -> Callable[[Any], str]:
    return lambda value: "–" if pd.isna(value) else f"{value:,.{places}f}"


def _percent(value: Any) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.1f} %"


def _duration(seconds: Any) -> str:
    return "–" if pd.isna(seconds) else duration(seconds)


_RUN_COLUMNS = (
    _Column(
        "rank",
        "rank",
        _words,
        "Place by bits a character on the test chapters. Networks share a rank, with the sign =, where what parts them "
        "from the best of that rank may be chance: a paired test on the same passages, corrected for the number of "
        "pairs, would find as much between equals in more than 5 of 100 studies. All pairs: comparisons.csv.",
    ),
    _Column("run", "run", _words, "Name of the network: its kind and size, then the seed of its chance numbers.", True),
    _Column(
        "model",
        "kind",
        _words,
        "Kind of network; of those with a memory, elman is the simplest, and gru and lstm have gates that guard it.",
        True,
    ),
    _Column(
        "test_bits_per_character",
        "bits a character",
        _decimals(3),
        "How many yes-or-no questions a letter of an unseen chapter still costs the network; fewer is better. "
        "The bar beneath is the 95 % interval: how much of the score may be the luck of which chapters were tested. "
        "A network of whole words pays for spelling those that it does not know; without that is said where it does.",
    ),
    _Column(
        "test_perplexity",
        "perplexity",
        _decimals(1),
        "Between how many equally likely word pieces the network still wavers at each step; fewer is better.",
    ),
    _Column("test_perplexity_per_word", "perplexity a word", _decimals(0), "The same, counted for whole words."),
    _Column(
        "test_nats_per_token",
        "nats a token",
        _decimals(3),
        "The loss on the test chapters, in the unit of the learning curves; fewer is better.",
    ),
    _Column(
        "valid_bits_per_character",
        "bits, validation",
        _decimals(3),
        "Bits a character on the validation chapters, by which the champion is chosen.",
    ),
    _Column(
        "longest_copied_words",
        "copied",
        _decimals(0),
        "Most words in a row of its chapter that stand in the books it has read. A flag marks a chapter that copies "
        "more than the configuration allows.",
    ),
    _Column(
        "test_word_accuracy",
        "words foreseen",
        _percent,
        "How many words of the test chapters the network writes right at its first guess, letter by letter, when it "
        "knows all that stands before them.",
    ),
    _Column(
        "test_token_accuracy_at_1",
        "pieces, first guess",
        _percent,
        "How often the word piece that it holds likeliest comes; between tokenizers this does not compare.",
    ),
    _Column(
        "test_token_accuracy_at_5",
        "pieces, five guesses",
        _percent,
        "How often the next one is among its likeliest five.",
    ),
    _Column(
        "test_expected_calibration_error",
        "calibration error",
        _percent,
        "How far, on average, the chance that it gives its first guess is from how often that comes true; 0 is best.",
    ),
    _Column("test_bits_per_byte", "bits a byte", _decimals(3), "Bits a character, for a byte of the text in UTF-8."),
    _Column("parameters", "parameters", _decimals(0), "How many numbers the network has learned."),
    _Column("train_seconds", "trained for", _duration, "Time spent on training."),
    _Column("train_tokens_per_s", "tokens a second", _decimals(0), "How many word pieces it read in a second of it."),
    _Column(
        "train_share",
        "share",
        lambda share: f"{share:.3g}",
        "How much of the training chapters it was given: 1 is all of them, 0.5 half of them.",
    ),
    _Column("tokenizer", "tokenizer", _words, "How the text was cut into word pieces.", True),
    _Column("seed", "seed", str, "The number that all chance in the run follows from."),
    _Column("device", "device", _words, "Where it was trained: cpu, or cuda for a graphics card.", True),
)


_CONFIGURATION_COLUMNS = (
    _Column("rank", "rank", _decimals(0), "Place by the mean over seeds; equal means share one."),
    _Column("configuration", "network", _words, "What the runs have in common: all but the seed.", True),
    _Column("runs", "seeds", _decimals(0), "How many runs there are of it."),
    _Column(
        "test_bits_per_character",
        "bits a character, mean",
        _decimals(3),
        "The mean of the runs. The bar beneath is the 95 % interval by the choice of chapters; all networks read the "
        "same ones, so their bars move together.",
    ),
    _Column("standard_deviation", "spread", _decimals(4), "Standard deviation of that over the seeds."),
    _Column("seeds_low", "mean, at least", _decimals(3), "Lower end of the 95 % interval of the mean over seeds."),
    _Column("seeds_high", "mean, at most", _decimals(3), "Its upper end: between networks compare these."),
    _Column("valid_bits_per_character", "bits, validation", _decimals(3), "The mean on the validation chapters."),
    _Column("test_perplexity", "perplexity", _decimals(1), "The mean of the runs' perplexities a word piece."),
    _Column(
        "test_word_accuracy", "words foreseen", _percent, "The mean share of words written right at the first guess."
    ),
    _Column("train_seconds", "trained for", _duration, "The mean of the times that the runs were trained."),
)


def leaderboard_page(leaderboard: pd.DataFrame) -> str:
    """Return the leaderboard as a page of its own, with one sentence on each column."""
    corpora, count = ", ".join(sorted(leaderboard["corpus"].unique())), counted(len(leaderboard), "network")
    body = f"""<h1>Which network foresees an unread chapter best?</h1>
<p class="lead">{count} trained on the shelf {escape(corpora)}, the best first. The star marks the champion, which is
chosen on the validation chapters and writes the next chapter.</p>
{_means(leaderboard) if have_seeds(leaderboard) else ""}
{_with_meanings(_ranked(leaderboard), _columns_for(leaderboard), _Scale(leaderboard))}"""
    return page(f"Leaderboard of {corpora}", "main { max-width: 80rem; }" + TABLE_CSS, body)


def _columns_for(leaderboard: pd.DataFrame) -> list[_Column]:
    """Return what to tell of each run; that all of them were given all chapters goes without saying."""
    is_told = bool((leaderboard["train_share"] < 1).any())
    return [column for column in _RUN_COLUMNS if is_told or column.name != "train_share"]


def leaderboard_table(leaderboard: pd.DataFrame, most: int) -> str:
    """Return the columns `BRIEF` of the best runs and the champion, or of the means over seeds where there are any.

    Args:
        leaderboard: best first.
        most: so many of the best rows.
    """
    has_seeds = have_seeds(leaderboard)
    rows = compare_configurations(leaderboard) if has_seeds else _ranked(leaderboard)
    shown = rows[(rows.index < most) | rows["champion"]]
    columns = [column for column in (_CONFIGURATION_COLUMNS if has_seeds else _RUN_COLUMNS) if column.name in BRIEF]
    return _table(shown, columns, _Scale(leaderboard))


def brief_meanings() -> str:
    """Return what the columns of `leaderboard_table` say."""
    return _meanings([column for column in _RUN_COLUMNS if column.name in BRIEF])


def _ranked(leaderboard: pd.DataFrame) -> pd.DataFrame:
    return leaderboard.assign(rank=rank_labels(list(leaderboard["rank"])))


def _means(leaderboard: pd.DataFrame) -> str:
    return f"""<h2>Over all seeds</h2>
{_with_meanings(compare_configurations(leaderboard), _CONFIGURATION_COLUMNS, _Scale(leaderboard))}
<h2>Each run</h2>"""


def _with_meanings(rows: pd.DataFrame, columns: Sequence[_Column], scale: "_Scale") -> str:
    """Return a table and, below it, what its columns say."""
    columns = [column for column in columns if column.name in rows]
    return f"""{_table(rows, columns, scale)}
<h2>What the columns say</h2>
{_meanings(columns)}"""


def _meanings(columns: Sequence[_Column]) -> str:
    meanings = "\n".join(f"<dt>{column.heading}</dt><dd>{column.meaning}</dd>" for column in columns)
    return f'<dl class="columns">\n{meanings}\n</dl>'


def _table(rows: pd.DataFrame, columns: Sequence[_Column], scale: "_Scale") -> str:
    columns = [column for column in columns if column.name in rows]
    head = "".join(f"<th{_text_class(column)}>{column.heading}</th>" for column in columns)
    body = "\n".join(_row(row, columns, scale) for row in rows.to_dict("records"))
    return f"""<table class="leaderboard">
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>"""


class _Scale:
    """Places scores on a common scale from 0 to 100 %."""

    def __init__(self, leaderboard: pd.DataFrame) -> None:
        values = leaderboard[["test_bits_per_character", "ci_low", "ci_high"]]
        self._low, high = float(values.min().min()), float(values.max().max())
        self._span = (high - self._low) or 1.0

    def percent(self, value: float) -> float:
        return 2 + 96 * (value - self._low) / self._span


def _row(row: dict[Any, Any], columns: Sequence[_Column], scale: _Scale) -> str:
    cells = "".join(
        f'<td{_text_class(column)} data-label="{column.heading}">{_cell(column, row, scale)}</td>' for column in columns
    )
    champion = ' class="champion"' if row["champion"] else ""
    return f"<tr{champion}>{cells}</tr>"


def _cell(column: _Column, row: dict[Any, Any], scale: _Scale) -> str:
    shown = column.show(row[column.name])
    if column.name in ("run", "configuration") and row["champion"]:
        return f'<span>{shown} <span class="badge">★ champion</span></span>'
    if column.name == "test_bits_per_character":
        return f'<span><span class="score">{shown}</span>{_interval(row, scale)}{_without_spelling(row)}</span>'
    if column.name == "longest_copied_words" and row["copies"]:
        return f'<span>{shown} <span class="flag">⚑ copies</span></span>'
    return shown


def _interval(row: dict[Any, Any], scale: _Scale) -> str:
    if pd.isna(row["ci_low"]) or pd.isna(row["ci_high"]):
        return ""
    low, high = scale.percent(row["ci_low"]), scale.percent(row["ci_high"])
    at = scale.percent(row["test_bits_per_character"])
    style = f"--low:{low:.1f}%;--wide:{high - low:.1f}%;--at:{at:.1f}%"
    numbers = f'<span class="range">{row["ci_low"]:.3f} to {row["ci_high"]:.3f}</span>'
    return f'<span class="interval" style="{style}"><i></i><b></b></span>{numbers}'


def _without_spelling(row: dict[Any, Any]) -> str:
    """Return the score of a closed vocabulary if unknown words cost nothing to spell; nothing for an open one."""
    score = row.get("test_bits_per_character_without_spelling")
    if score is None or score == row["test_bits_per_character"]:
        return ""
    return f' <span class="range">{score:.3f} without spelling</span>'


def _text_class(column: _Column) -> str:
    return f' class="text {column.name}"' if column.text else ""
