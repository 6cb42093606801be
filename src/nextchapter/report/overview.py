"""The page of a study: one idea a section, told with the study's own numbers; it is read from top to bottom."""

from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

from nextchapter.report import findings
from nextchapter.report.chapters import CHAPTERS_CSS, chapters_block
from nextchapter.report.html import FIGURES_CSS, FOLDS_CSS, figure, fold, page
from nextchapter.report.kinds import KINDS, NEW_KIND
from nextchapter.report.provenance import PROVENANCE_CSS, provenance_block
from nextchapter.report.quality import SHELF_CSS, shelf_block
from nextchapter.report.results import Results
from nextchapter.report.searches import SCORE
from nextchapter.report.table import TABLE_CSS, brief_meanings, leaderboard_table
from nextchapter.report.tasks import TASKS_CSS, tasks_block
from nextchapter.report.wording import bold, counted, listed

ROWS_MAX = 40
"""Rows of the leaderboard; the whole of it stands in leaderboard.html."""
KINDS_MAX = 12
"""So many kinds of networks are drawn, each by its best run."""
RUNS_NAMED = 6
"""So many runs of a kind are named where the kind is explained."""
NEIGHBOURS_SHOWN = 12
"""Words of an embedding that are shown with their neighbours."""

_CSS = """
main { max-width: 80rem; }
h1 { font-size: clamp(1.8rem, 4.5vw, 2.7rem); margin: 1rem 0 .8rem; }
h2 { font-size: 1.6rem; margin: 4rem 0 .6rem; } h3 { font: 600 1.12rem/1.3 var(--serif); margin: 2rem 0 .5rem; }
section > p { max-width: 46rem; } .opening-words { font: 1.18rem/1.6 var(--serif); max-width: 46rem; }
nav.contents { display: none; font-size: .92rem; line-height: 1.35; }
.contents b { display: block; margin: 0 0 .5rem; color: var(--muted); font-size: .8rem; }
.contents a { display: block; padding: .28rem 0 .28rem .8rem; border-left: 2px solid var(--line); color: var(--ink);
  text-decoration: none; } .contents a:hover { border-color: var(--accent-ink); color: var(--accent-ink); }
a { color: var(--accent-ink); } section { scroll-margin-top: 1rem; }
details > div { overflow-x: clip; } details table { margin: .3rem 0 1rem; }
section > details, section > table.shelf { max-width: 46rem; }
.leaf, .origin, dl.marks { margin-left: clamp(0rem, 50% - 20rem, 3rem); }
.near, .kinds { display: grid; grid-template-columns: fit-content(16rem) minmax(0, 1fr); gap: .2rem 1.2rem;
  max-width: 46rem; }
.near dt { font: 600 1.02rem var(--serif); } .near dd, .kinds dd { margin: 0; color: var(--muted); }
.kinds dt { font-weight: 600; }
@media (max-width: 40rem) { .kinds { display: block; } .kinds dd { margin: 0 0 .7rem; } }
@media (min-width: 64rem) {
  main { display: grid; grid-template-columns: 12.5rem minmax(0, 1fr); gap: 2.5rem; padding-top: 2.5rem; }
  nav.contents { display: block; position: sticky; top: 2rem; align-self: start; }
}
@media print {
  :root { color-scheme: light; } main { display: block; padding: 0; } nav.contents { display: none; }
  body { font-size: 11pt; } h2, h3, summary { break-after: avoid; } tr, figure { break-inside: avoid; }
  .leaf { box-shadow: none; }
}
"""


class Section(NamedTuple):
    """A part of the page."""

    anchor: str
    title: str
    body: str
    """HTML; a section without any is left out."""


def overview_page(results: Results) -> str:
    """Return the page; parts that the study does not have are left out of it."""
    study = str(results.parts["study"])
    sections = [make(results) for make in _SECTIONS]
    there = [section for section in sections if section.body]
    links = "\n".join(f'<a href="#{section.anchor}">{section.title}</a>' for section in there)
    told = "\n".join(
        f'<section id="{section.anchor}">\n<h2>{section.title}</h2>\n{section.body}\n</section>' for section in there
    )
    body = f"""<nav class="contents" aria-label="Contents"><b>On this page</b>
{links}
</nav>
<div>
<h1><bdi>{escape(study)}</bdi>: what the networks learned of it</h1>
<p class="opening-words">{findings.opening(results)}</p>
{told}
</div>"""
    css = FOLDS_CSS + FIGURES_CSS + SHELF_CSS + TABLE_CSS + TASKS_CSS + CHAPTERS_CSS + PROVENANCE_CSS + _CSS
    return page(f"{study}: report", css, body)


def _shelf(results: Results) -> Section:
    totals = results.quality["totals"]
    body = f"""<p>All that follows is learned from these books alone: {counted(totals["books"], "book")},
{counted(totals["chapters"], "chapter")}, {counted(totals["words"], "word")}. Whole chapters are put aside before any
network reads a line. They are the exam: a network that has merely learned its books by heart fails it.</p>
{shelf_block(results.quality)}
<p class="more">What was cut, repaired and not read: <a href="../corpus/quality.html">the account of the
shelf</a>.</p>"""
    return Section("shelf", "The shelf", body)


def _networks(results: Results) -> Section:
    """Return who takes part, each kind in a sentence."""
    told = "\n".join(
        f"<dt>{_named(own['run'].tolist())}</dt><dd>{KINDS.get(str(kind), NEW_KIND)}</dd>"
        for kind, own in results.leaderboard.groupby("model", sort=False)
    )
    body = f"""<p>All of them do one thing: they read a text from left to right and say at each place how likely they
hold each continuation. They read in <b>word pieces</b>, also called tokens: as a rule a frequent word is one piece
and a rare one is put together from several. They differ in what they make of all that stands before. A name ends in the
<i>seed</i> of the network's chance numbers, such as s1.</p>
<dl class="kinds">
{told}
</dl>"""
    return Section("networks", "Who takes part", body)


def _named(runs: Sequence[str]) -> str:
    return listed(runs) if len(runs) <= RUNS_NAMED else f"{', '.join(map(bold, runs[:RUNS_NAMED]))} ..."


def _leaderboard(results: Results) -> Section:
    board = results.leaderboard
    drawn = figure(
        results.svg("figures/leaderboard"),
        "Score of each network with its interval",
        findings.leaderboard_caption(results),
    )
    body = f"""<p>Each network now reads chapters that it has never seen. If what really comes next was likely to it, it
is not surprised. The score counts the surprise: <b>bits a character</b>, the number of yes-or-no questions that each
letter still costs. A book in which nothing can be foreseen
would cost about five a letter; people are thought to need about one.</p>
{leaderboard_table(board, ROWS_MAX)}
<p class="more">{_rest_of(len(board))}The sign = marks ranks that are shared.
<a href="../leaderboard.html">All columns</a></p>
{fold("What the columns say", brief_meanings())}
{drawn}"""
    return Section("leaderboard", "Who foresees an unread chapter best", body)


def _rest_of(count: int) -> str:
    return f"The best {ROWS_MAX} of {count:,} rows, and the champion. " if count > ROWS_MAX else ""


def _curves(results: Results) -> Section:
    drawn = figure(
        results.svg("figures/learning-curves"),
        "Loss of each network while it trained",
        findings.curves_caption(results),
    )
    body = f"""<p>A network starts with random numbers and knows nothing. It guesses, is told what really came next,
and shifts each of its numbers a little so that it would have been less surprised: thousands of times. Its <b>loss</b>
is that surprise, counted for each word piece in <i>nats</i> (one is 1.44 bits), and the curve of it is the story of its
education. Models that count, such as n-grams, have no such
story: they read once.</p>
{drawn}"""
    return Section("curves", "How they learned", body)


def _costs(results: Results) -> Section:
    drawn = figure(
        results.svg("figures/costs"),
        "Score of each network against its time of training",
        findings.costs_caption(results),
    )
    body = f"""<p>Almost any score can be improved by more arithmetic. The fair question is what a better score costs.
A network is a good bargain if nothing that is as fast is better; all bargains together are called the Pareto
front.</p>
{drawn}"""
    return Section("costs", "What a better score costs", body)


def _gradients(results: Results) -> Section:
    if results.gradients is None and not results.tasks:
        return Section("gradients", "", "")
    gradients = _gradients_measured(results) if results.gradients is not None else ""
    tasks = _tasks(results) if results.tasks else ""
    return Section("gradients", "Why networks forget", f"{gradients}\n{tasks}")


def _gradients_measured(results: Results) -> str:
    folder = "diagnostics/gradients"
    more = [
        figure(results.svg(f"{folder}/{name}"), label, caption(results))
        for name, label, caption in (
            ("jacobian", "What one step stretches and shrinks", findings.jacobian_caption),
            ("gates", "How often gates are shut and open", findings.gates_caption),
            ("clipping", "A network whose gradients explode, and the same with clipping", findings.clipping_caption),
        )
    ]
    shown = results.best_of_each_kind(results.parts["recurrent"])[:KINDS_MAX]
    units = "\n".join(fold(bold(run), _units(results, run), "along a passage it has not read") for run in shown)
    drawn = figure(
        results.svg(f"{folder}/gradients"),
        "How much of the gradient is left, by how far back",
        findings.gradients_caption(results),
    )
    return f"""<p>A recurrent network carries a memory from word to word. To learn what is worth remembering, a
mistake has to be traced back to the words that would have prevented it. What travels back is the <b>gradient</b>, and
each step back multiplies it: by a bit less than one, and it has vanished after a few words; by a bit more, and it
explodes. Gates, as the LSTM and the GRU have them, are a way around.</p>
{drawn}
{fold("One step under the lens", more[0] + more[1], "Jacobians and gates")}
{fold("When gradients explode", more[2], "and how clipping helps")}
{f"<h3>What single units do</h3>{units}" if shown else ""}"""


def _units(results: Results, run: str) -> str:
    units = figure(
        results.svg(f"runs/{run}/neurons"),
        f"Units of {run} along a passage",
        "A row is a unit, a column a word; orange is one sign, purple the other. Above, units that hold their value "
        "longest: look at which words they turn. Below, those that swing most.",
    )
    path = figure(
        results.svg(f"runs/{run}/state-path"),
        f"The hidden state of {run} through a sentence",
        "The whole memory after each word, laid on the plane in which it varies most, from dark (the first word) to "
        "light. Words after which the network expects similar things lie close together.",
    )
    return units + path


def _tasks(results: Results) -> str:
    drawn = figure(
        results.svg("diagnostics/tasks/tasks"), "The lengths that each network learned", findings.tasks_caption(results)
    )
    return f"""<h3>A test of memory</h3>
<p>In a book it is hard to say what must be remembered. In these made-up sequences something early must be known at
the end, and they grow longer until a network fails.</p>
{drawn}
{tasks_block(results.tasks)}"""


def _data_size(results: Results) -> Section:
    if not results.parts["data_size"]:
        return Section("data-size", "", "")
    caption = (
        "Left, scores: the further down, the better; where lines cross, another network is the better choice for a "
        "shelf of that size. Then what the training took, and what more hidden states cost a hidden Markov model."
    )
    drawn = figure(results.svg("figures/data-size"), "Scores and cost against the amount of text", caption)
    lead = """<p>Networks learn from examples, counters from repetition. Here the same networks were given a part of the
chapters, then more, then all, and asked the same unread ones.</p>"""
    return Section("data-size", "How much text it takes", lead + drawn)


def _embeddings(results: Results) -> Section:
    names = results.parts["embeddings"]
    if not names:
        return Section("embeddings", "", "")
    lead = """<p>A network computes with numbers, so each word piece becomes a list of them, a <b>vector</b>. Learned
from which words keep company, vectors of words that are used alike come to point the same way.</p>"""
    return Section("embeddings", "Words as vectors", lead + "\n".join(_embedding(results, name) for name in names))


def _embedding(results: Results, name: str) -> str:
    scores, neighbours = results.embedding(name)
    spearman = scores["wordsim353"]["spearman"]
    judged = f" They agree with people's judgement of likeness to {spearman:.2f}, where 1 is in full." * (
        spearman is not None
    )
    words = list(dict.fromkeys(neighbours["word"]))[:NEIGHBOURS_SHOWN]
    near = "\n".join(
        f'<dt lang="" dir="auto">{escape(str(word))}</dt><dd lang="" dir="auto">'
        f"{escape(', '.join(map(str, neighbours[neighbours['word'] == word]['neighbour'][:5])))}</dd>"
        for word in words
    )
    caption = f"Words near each other are used alike; the axes mean nothing.{judged}"
    return f"""<h3>{escape(name)}</h3>
{figure(results.svg(f"embeddings/{name}/map"), f"Map of the words of {name}", caption)}
{fold("Nearest neighbours", f'<dl class="near">{near}</dl>', "of the most frequent words")}"""


def _losses(results: Results) -> Section:
    calibration = figure(
        results.svg("figures/calibration"),
        "How often guesses come true against the chance given to them",
        findings.calibration_caption(results),
    )
    losses = figure(
        results.svg("figures/losses"),
        "Loss by place in the chapter and by frequency of words",
        findings.losses_caption(results),
    )
    body = f"""<p>A score is an average; it does not say <i>where</i> a network is surprised. Two questions tell
networks apart. Do its chances hold, or does it promise too much? And what does it stumble over: rare words, or
beginnings, when it has read nothing yet that would help?</p>
{calibration}
{losses}"""
    return Section("losses", "Where they lose", body)


def _chapters(results: Results) -> Section:
    champion = results.champion
    chapters = results.chapters()
    block = chapters_block(chapters, results.leaderboard, results.next_chapter)
    own = next(chapter.facts for chapter in chapters if chapter.facts["run"] == champion["run"])
    drawn = figure(
        results.svg("figures/type-token"),
        "Different words among the first words of each chapter",
        findings.growth_caption(results),
    )
    body = f"""<p>Now {bold(champion["run"])}, the champion, writes: it draws the next word piece by the
chances that it gives, reads what it has just written, and goes on. This follows chapter {own["after_chapter"]} of
<bdi>{escape(str(own["after_book"]))}</bdi>; no person has changed a word.</p>
{block}
<p class="more">What each network expected, word by word: <a href="../chapters.html">all chapters</a>.</p>
<h3>Style, and what is copied</h3>
<p>A chapter can be good because it is stolen. The longest phrase that stands in the books, word for word, is given
below each chapter; its style is measured against real chapters that no network has read.</p>
{figure(results.svg("figures/style"), "Distance of each chapter from its author", findings.style_caption(results))}
{drawn}
{_exposure(results) if results.parts["exposure"] else ""}"""
    return Section("chapters", "The next chapter", body)


def _exposure(results: Results) -> str:
    caption = (
        "Random sentences were planted in the training chapters. The higher a line, the better its network knows them "
        "by heart; ten bits are a sentence that it finds likelier than a thousand others of its kind."
    )
    drawn = figure(results.svg("figures/exposure"), "Exposure of planted sentences", caption)
    return f"<h3>What is known by heart</h3>{drawn}"


def _searches(results: Results) -> Section:
    body = "\n".join(_search(results, name) for name in results.parts["searches"])
    lead = """<p>How large, how fast, how many? Settings such as these are not learned; they are tried. The best is
chosen on chapters that are neither learned from nor used for the exam.</p>"""
    return Section("searches", "What was tried", lead + body if body else "")


def _search(results: Results, name: str) -> str:
    table = results.search(name)
    best, worst = table[SCORE].min(), table[SCORE].max()
    caption = (
        f"{counted(len(table), 'run')}, from {worst:.3f} bits a letter down to {best:.3f}. Best: "
        f"{bold(table['configuration'].iloc[0])}, marked in the figure."
    )
    drawn = figure(results.svg(f"searches/{name}"), f"Values tried in the search {name}", caption)
    return f"<h3>{escape(name)}</h3>{drawn}"


def _inside(results: Results) -> Section:
    """Return the drawings of the networks and of hidden states, and the memory of 1982, all folded away."""
    drawn = [
        fold(bold(run), _network(results, run), f"rank {_rank(results, run)}")
        for run in results.best_of_each_kind()[:KINDS_MAX]
    ]
    states = [fold(bold(run), _states(results, run), "hidden states") for run in results.parts["states"][:KINDS_MAX]]
    body = f"""<p>Each kind of network at its work, over a passage that it has not read: from left to right it reads,
from the bottom to the top it turns a word into chances for the next. A tap opens a drawing.</p>
{"".join([*drawn, *states])}{_memory(results) if results.parts["memory"] else ""}"""
    return Section("inside", "A look inside", body)


def _rank(results: Results, run: str) -> int:
    board = results.leaderboard
    return int(board[board["run"] == run]["rank"].iloc[0])


def _network(results: Results, run: str) -> str:
    caption = (
        "Above each word stands what really came next, with the chance that the network gave it; a tick marks a right "
        "guess. The same weights serve at each step."
    )
    return figure(results.svg(f"runs/{run}/network"), f"The network of {run}, unfolded in time", caption)


def _states(results: Results, run: str) -> str:
    """Return the pictures of a hidden Markov model's states."""
    states = (
        "A passage, each word in the colour of the hidden state that it most probably comes from. No one told the "
        "model what a noun is; that words of one kind share a colour is what it found out."
    )
    beliefs = "How sure it is: the darker, the more probable is the state, given the whole passage."
    return figure(results.svg(f"runs/{run}/states"), f"A passage and the states of {run}", states) + figure(
        results.svg(f"runs/{run}/posteriors"), f"How sure {run} is of its states", beliefs
    )


def _memory(results: Results) -> str:
    caption = (
        "The ancestor of recurrent networks is a memory that completes what it is shown. Above: random patterns come "
        "back nearly whole until about 0.14 of them are stored for each neuron, then hardly at all. Below: passages of "
        "this shelf, shown with wrong letters. The network of 2020, the attention of today's transformers, holds all. "
        '<a href="../diagnostics/hopfield/hopfield.html">More</a>'
    )
    drawn = figure(results.svg("diagnostics/hopfield/hopfield"), "How well stored patterns come back", caption)
    return fold("Where it began", drawn, "the Hopfield network of 1982")


def _provenance(results: Results) -> Section:
    body = f"""<p>With these facts the same numbers can be made again: which books, which code, which chance numbers,
on which machine. How the steps depend on each other stands in <a href="../snakemake-report.html">Snakemake's
report</a>.</p>
{provenance_block(results.provenance)}"""
    return Section("provenance", "Where the numbers come from", body)


_SECTIONS: Sequence[Callable[[Results], Section]] = (
    _shelf, _networks, _leaderboard, _curves, _costs, _data_size, _gradients, _embeddings, _losses, _chapters,
    _searches, _inside, _provenance,
)  # fmt: skip
