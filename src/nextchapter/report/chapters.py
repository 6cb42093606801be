"""The chapters as a page: the champion's like a leaf of a book, then those of all runs, then what each expected."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import pandas as pd

from nextchapter.report.examination import MARKS_CSS, marks
from nextchapter.report.html import FOLDS_CSS, page
from nextchapter.report.predictions import Passage, Prediction, percent

PASSAGES_MAX = 20
"""The passage is shown for no more runs than this, the best ones."""
CHAPTERS_OPEN = 20
"""The chapters of more runs than this, as searches have, are folded away behind the best ones."""

CHAPTERS_CSS = (
    FOLDS_CSS
    + MARKS_CSS
    + """
.leaf { max-width: 40rem; margin: 2rem auto 1rem; padding: clamp(1.5rem, 6vw, 4rem) clamp(1.1rem, 7vw, 4.5rem);
  background: var(--sheet); border: 1px solid var(--line); border-radius: 2px;
  box-shadow: 0 1px 2px rgb(0 0 0 / .06), 0 12px 32px rgb(0 0 0 / .07); }
.prose { font: 1.12rem/1.65 var(--serif); hyphens: auto; }
.prose p { margin: 0; text-indent: 1.6em; white-space: pre-line; }
.prose p:first-of-type { text-indent: 0; }
.leaf .prose p:first-of-type::first-letter { float: left; font-size: 3.35em; line-height: .82; padding: .07em .09em 0 0;
  color: var(--accent-ink); }
.heading { font: 600 1.15rem/1.4 var(--serif); letter-spacing: .14em; text-align: center; margin: 0 0 2rem; }
.end { text-align: center; color: var(--muted); margin: 1.4rem 0 0; font-size: 1.2rem; }
.origin { color: var(--muted); font-size: .92rem; max-width: 40rem; margin: 0 auto 2rem; }
.opening { border-bottom: 2px solid rgb(var(--accent) / .55); }
summary .star { color: var(--gold); }
summary em { color: var(--muted); font: italic .98rem var(--serif); flex-basis: 100%; overflow: hidden;
  white-space: nowrap; text-overflow: ellipsis; }
details[open] > summary em { display: none; }
details > div { padding: .2rem 1.2rem 1.4rem; max-width: 46rem; margin: 0 auto; }
.passage { font: 1.15rem/2 var(--serif); white-space: pre-wrap; margin: .5rem 0 1.2rem; }
.passage span { padding: .12em 0; border-radius: .2em; }
.shade { background: rgb(var(--accent) / var(--a)); }
.expected { border-collapse: collapse; width: 100%; font-size: .93rem; }
.expected th { text-align: left; font-size: .78rem; color: var(--muted); font-weight: 600; }
.expected th, .expected td { padding: .3rem .5rem .3rem 0; }
.expected td { border-top: 1px solid var(--line); vertical-align: top; }
.expected td.true { font: 600 1.05rem/1.5 var(--serif); }
.chance { display: inline-block; min-width: 4.2rem; text-align: right; padding: .1rem .45rem; border-radius: .3rem; }
.guess { display: inline-block; margin: 0 .3rem .25rem 0; padding: .1rem .45rem; border-radius: .3rem;
  border: 1px solid var(--line); font-family: var(--serif); white-space: nowrap; }
.guess small { font: .78rem var(--sans); font-variant-numeric: tabular-nums; color: var(--muted); margin-left: .25rem; }
.guess.hit { border: 2px solid var(--accent-ink); } .guess.hit small, .guess.sure small { color: inherit; }
.key { display: inline-block; width: 9rem; height: .8rem; border-radius: .3rem; vertical-align: -1px; margin: 0 .3rem;
  background: linear-gradient(to right, rgb(var(--accent) / .02), rgb(var(--accent) / .7));
  border: 1px solid var(--line); }
@media (max-width: 40rem) {
  details > div { padding: .2rem .9rem 1.2rem; }
  .expected, .expected tbody { display: block; } .expected thead { display: none; }
  .expected tr { display: flex; flex-wrap: wrap; align-items: baseline; border-top: 1px solid var(--line);
    padding: .45rem 0 .3rem; }
  .expected td { border: 0; padding: 0 0 .2rem; } .expected td.true { flex: 1; }
  .expected td:last-child { flex-basis: 100%; }
}
"""
)


class Chapter(NamedTuple):
    """What one run wrote, and what it expected."""

    markdown: str
    facts: Mapping[str, Any]
    """Its `chapter.json`."""
    passage: Passage
    examination: Mapping[str, Any]
    """Its `examination.json`."""


def chapters_page(chapters: Sequence[Chapter], leaderboard: pd.DataFrame, next_chapter: str) -> str:
    """Return the page.

    Args:
        chapters: of all runs of the leaderboard, in any order.
        leaderboard: ranks the runs.
        next_chapter: what the champion wrote, as Markdown.

    Raises:
        ValueError: the chapters are not those of the leaderboard's runs.
    """
    by_run = _by_run(chapters, leaderboard)
    rows = leaderboard.to_dict("records")
    champion = _champion(rows)
    facts = by_run[champion["run"]].facts
    shelf = escape(str(champion["corpus"]))
    body = f"""<h1>The next chapter</h1>
<p class="lead">Written by {escape(champion["run"])}, {_champion_of(len(rows))} that have read the shelf
{shelf}. It follows chapter {facts["after_chapter"]} of {escape(facts["after_book"])}.
No person has changed a word of it.</p>
{_leaf(by_run[champion["run"]], next_chapter)}
<h2>The same chapter by each network</h2>
<p class="note">The best network stands first; a tap opens its chapter.</p>
{_chapters([_written(row, by_run[row["run"]]) for row in rows])}
<h2>What each network expected next</h2>
{_reading_note(len(rows))}
{"".join(_expected(row, by_run[row["run"]].passage, bool(row["champion"])) for row in rows[:PASSAGES_MAX])}"""
    return page(f"The next chapter of {champion['corpus']}", CHAPTERS_CSS, body)


def chapters_block(chapters: Sequence[Chapter], leaderboard: pd.DataFrame, next_chapter: str) -> str:
    """Return the champion's chapter, what it expected of a passage, and the chapters of the others folded away.

    Args and errors are those of `chapters_page`; this is HTML to stand inside a page.
    """
    by_run = _by_run(chapters, leaderboard)
    rows = leaderboard.to_dict("records")
    champion = _champion(rows)
    others = [row for row in rows if row is not champion]
    others_told = (
        f"<h3>The same chapter by the others</h3>{_chapters([_written(row, by_run[row['run']]) for row in others])}"
    )
    return f"""{_leaf(by_run[champion["run"]], next_chapter)}
<h3>What it expected next</h3>
{_reading_note(1)}
{_expected(champion, by_run[champion["run"]].passage, is_open=False)}
{others_told if others else ""}"""


def _by_run(chapters: Sequence[Chapter], leaderboard: pd.DataFrame) -> dict[str, Chapter]:
    by_run = {str(chapter.facts["run"]): chapter for chapter in chapters}
    if set(by_run) != set(leaderboard["run"]):
        raise ValueError(f"chapters of {sorted(by_run)} and a leaderboard of {sorted(leaderboard['run'])}")
    return by_run


def _champion(rows: Sequence[dict[Any, Any]]) -> dict[Any, Any]:
    (champion,) = [row for row in rows if row["champion"]]
    return champion


def _leaf(chapter: Chapter, markdown: str) -> str:
    """Return the champion's chapter as a leaf of a book, with where it comes from and what was found of it."""
    heading, _ = _parts(markdown)
    return f"""<article class="leaf">
<p class="heading" dir="auto">{escape(heading)}</p>
{_prose(markdown, chapter.facts)}
<p class="end">❧</p>
</article>
<p class="origin">{_origin(chapter.facts)}</p>
{marks(chapter.examination)}"""


def _champion_of(count: int) -> str:
    return f"the champion of {count:,} networks" if count > 1 else "the one network"


def _parts(markdown: str) -> tuple[str, list[str]]:
    """Return heading and paragraphs of a chapter."""
    first, _, rest = markdown.strip().partition("\n")
    if not first.startswith("#"):
        first, rest = "", markdown
    return first.lstrip("#").strip(), [part.strip() for part in rest.split("\n\n") if part.strip()]


def _prose(markdown: str, facts: Mapping[str, Any]) -> str:
    """Return the paragraphs; the words that the network was given to begin with are underlined."""
    _, paragraphs = _parts(markdown)
    texts = [escape(paragraph) for paragraph in paragraphs]
    opening = escape(facts["opening"].strip())
    if texts and opening and texts[0].startswith(opening):
        texts[0] = f'<span class="opening">{opening}</span>{texts[0].removeprefix(opening)}'
    return '<div class="prose" lang="">' + "".join(f'<p dir="auto">{text}</p>\n' for text in texts) + "</div>"


def _origin(facts: Mapping[str, Any]) -> str:
    """Return where a chapter comes from, in two sentences."""
    opening = f"“{escape(facts['opening'])}”"
    begins = f"drawn by chance (seed {facts['seed']})" if facts["opening_drawn"] else "given"
    ends = (
        "ended the chapter itself" if facts["ended_by"] == "end-of-chapter" else "was stopped at the length asked for"
    )
    return (
        f"The underlined opening {opening} was {begins}; all that follows is the network's own, one word piece after "
        f"another. It {ends}, after {facts['words']:,} words."
    )


def _chapters(written: Sequence[str]) -> str:
    """Return the chapters of all runs, those behind the best ones in one fold."""
    shown, rest = written[:CHAPTERS_OPEN], written[CHAPTERS_OPEN:]
    if not rest:
        return "".join(shown)
    heading = f"<summary><b>{len(rest):,} more networks</b></summary>"
    return f"{''.join(shown)}<details>\n{heading}\n<div>\n{''.join(rest)}</div>\n</details>\n"


def _written(row: Mapping[Any, Any], chapter: Chapter) -> str:
    heading, paragraphs = _parts(chapter.markdown)
    preview = escape(paragraphs[0][:160]) if paragraphs else ""
    return f"""<details>
<summary>{_name(row)}<em lang="" dir="auto">{preview}</em></summary>
<div>
<p class="heading" dir="auto">{escape(heading)}</p>
{_prose(chapter.markdown, chapter.facts)}
<p class="end">❧</p>
<p class="origin">{_origin(chapter.facts)}</p>
{marks(chapter.examination)}
</div>
</details>
"""


def _name(row: Mapping[Any, Any]) -> str:
    star = ' <span class="star">★ champion</span>' if row["champion"] else ""
    score = f"{row['test_bits_per_character']:.3f} bits a character"
    return f"<b>{escape(row['run'])}</b>{star}<span>rank {row['rank']}</span><span>{score}</span>"


def _reading_note(count: int) -> str:
    shown_runs = f" The {PASSAGES_MAX} best of {count:,} networks are shown." if count > PASSAGES_MAX else ""
    return (
        '<p class="note">A passage that no network has seen, word piece by word piece: how probable the network found '
        "what really came next, and the five continuations it held likeliest. A frame marks the right one. "
        f'<span class="number">Probability: 0 %<span class="key"></span>100 %</span>{shown_runs}</p>'
    )


def _expected(row: Mapping[Any, Any], passage: Passage, is_open: bool) -> str:
    right = sum(prediction.hit for prediction in passage.predictions)
    lines = "\n".join(_prediction(prediction) for prediction in passage.predictions)
    running = "".join(_running(prediction) for prediction in passage.predictions).strip()
    return f"""<details{" open" * is_open}>
<summary>{_name(row)}<span>{right} of {len(passage.predictions)} foreseen</span></summary>
<div>
<p class="passage" lang="" dir="auto">{running}</p>
<p class="note">{escape(passage.book)}, chapter {passage.chapter}</p>
<table class="expected">
<thead><tr><th>it goes on with</th><th>found probable</th><th>the network's best guesses</th></tr></thead>
<tbody>
{lines}
</tbody>
</table>
</div>
</details>
"""


def _running(prediction: Prediction) -> str:
    """Return a piece of the running text, shaded by its probability."""
    text = {"<0x0A>": "\n", "<end-of-chapter>": " ❧"}.get(prediction.true, prediction.true)
    plain = text.lstrip(" ")
    space = " " * (len(text) - len(plain))
    return f'{space}<span class="shade" style="{_shade(prediction.true_probability)}">{escape(plain)}</span>'


def _prediction(prediction: Prediction) -> str:
    probability = prediction.true_probability
    chance = f'<span class="chance shade number" style="{_shade(probability)}">{percent(probability)}</span>'
    guesses = "".join(_guess(prediction, token, share) for token, share in prediction.ranked)
    true = escape(prediction.shown(prediction.true))
    return f'<tr><td class="true" lang="">{true}</td><td>{chance}</td><td>{guesses}</td></tr>'


def _guess(prediction: Prediction, token: str, probability: float) -> str:
    classes = "guess shade" + (" hit" if token == prediction.true else "") + (" sure" if probability > 0.3 else "")
    text = f"{escape(prediction.shown(token))}<small>{percent(probability)}</small>"
    return f'<span class="{classes}" style="{_shade(probability)}">{text}</span>'


def _shade(probability: float) -> str:
    return f"--a:{0.7 * probability**0.6:.2f}"
