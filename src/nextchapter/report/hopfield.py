"""The associative memory as a figure and as a page: how much it holds, and what it makes of corrupted passages."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from math import floor
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from nextchapter.diagnostics.hopfield_capacity import mean_field
from nextchapter.report.figures import INK, MUTED, WIDTH_INCHES, inline_svg, spread
from nextchapter.report.html import FIGURES_CSS, page
from nextchapter.report.wording import counted

Record = Mapping[str, Any]

RESTORED_SHARE = 0.97
"""Share of right characters from which passages count as restored."""
_BLUE, _PURPLE, _GREEN, _ORANGE, _OCHRE = "#0072B2", "#A8527F", "#009E73", "#D55E00", "#B07A00"
_CURVES = {
    "bits": (_ORANGE, "1982, raw bits"),
    "characters": (_OCHRE, "1982, characters"),
    "pairs": (_BLUE, "1982, pairs"),
    "modern": (_GREEN, "2020, pairs"),
}
_CODES = {
    "bits": "raw bits: the character's number in Unicode",
    "characters": "characters: a random pattern for each, at each place another",
    "pairs": "pairs: likewise, for each character and the one before it",
}
_CSS = (
    FIGURES_CSS
    + """
main { max-width: 48rem; }
p { max-width: 46rem; } pre { overflow-x: auto; margin: 0 0 1.25rem; font: .95rem/1.6 var(--mono); }
:root { --mono: ui-monospace, "DejaVu Sans Mono", "Liberation Mono", Menlo, monospace; }
table { border-collapse: collapse; background: var(--sheet); border: 1px solid var(--line); margin: 0 0 1.25rem;
  width: 46rem; max-width: 100%; }
th, td { padding: .35rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-size: .82rem; font-weight: 600; color: var(--muted); white-space: nowrap; }
td.text { font: .9rem/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; width: 100%; }
mark { background: var(--gold-paper); color: var(--gold); }
@media (max-width: 40rem) { th, td { padding: .3rem .45rem; } td.text { font-size: .8rem; } }
"""
)


def draw_memory(record: Record) -> Figure:
    """Draw how well patterns come back against how many are stored: random ones above, passages of the shelf below."""
    figure = Figure(figsize=(WIDTH_INCHES, 8.2), layout="constrained")
    above, below = figure.subplots(2, 1, gridspec_kw={"hspace": 0.08})
    _draw_capacity(above, record["capacity"])
    _draw_passages(below, record["passages"])
    return figure


def _draw_capacity(axes: Axes, capacity: Record) -> None:
    """Draw the overlap against the load: by trying, with its range over the repeats, and by theory."""
    loads, flipped = capacity["loads"], f"{100 * capacity['flipped_share']:g} % flipped"
    labels = {
        "modern": (_GREEN, f"2020, {flipped}"),
        "stored": (_BLUE, "1982, as stored"),
        "flipped": (_PURPLE, f"1982, {flipped}"),
    }
    ends = []
    for name, (colour, label) in labels.items():
        values = np.array(capacity["overlap"][name])
        axes.fill_between(loads, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.25, linewidth=0)
        axes.plot(loads, values.mean(axis=1), color=colour, marker="o", markersize=3.6, linewidth=2)
        ends.append((values[-1].mean(), colour, label))
    theory, m = mean_field()
    axes.plot([*theory, theory[-1]], [*m, 0], color=INK, linewidth=1.2, linestyle="--")
    told = f"theory, for endlessly\nmany neurons: full at\na load of {theory[-1]:.3f}"
    axes.text(theory[-1] - 0.004, 0.5, told, color=INK, fontsize=10, ha="right", va="center")
    still = f"at load {capacity['far_load']:g} still {capacity['far_overlap']:.2f}"
    axes.text(loads[-1], 0.955, still, color=_GREEN, fontsize=10, ha="right", va="top")
    axes.set(xlim=(0, loads[-1] * 1.01), ylim=(0, 1.04), ylabel="overlap m with what was stored")
    axes.set_xlabel(f"load: random patterns stored for each of {capacity['neurons']:,} neurons")
    axes.set_title("A memory is nearly perfect, until it is full")
    _label_ends(axes, loads[-1] * 1.03, ends)


def _draw_passages(axes: Axes, passages: Record | None) -> None:
    """Draw the share of right characters against the passages stored, a curve a code."""
    axes.set_title("Passages of this shelf: the code decides")
    if passages is None:
        axes.text(0.5, 0.5, "The shelf is too short for passages.", ha="center", transform=axes.transAxes, color=MUTED)
        axes.set(xticks=[], yticks=[])
        return
    counts, right, shown = passages["counts"], passages["right"], passages["corrupted_right"]
    for name, (colour, _) in _CURVES.items():
        axes.plot(counts, right[name], color=colour, marker="o", markersize=3.6, linewidth=2)
    axes.axhline(shown, color=INK, linewidth=1.2, linestyle=":")
    axes.text(1, shown - 0.02, "as shown", color=INK, fontsize=10, va="top")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set(xlim=(0.93, counts[-1] * 1.04), ylim=(0, 1.04), ylabel="characters that are right")
    axes.set_xlabel(f"passages stored, of {passages['characters']} characters, in {passages['neurons']:,} neurons")
    _label_ends(axes, counts[-1] * 1.08, [(right[name][-1], *look) for name, look in _CURVES.items()])


def _label_ends(axes: Axes, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write the names of curves behind their ends, none over another.

    Args:
        axes: the panel.
        x: where the names begin.
        ends: height, colour and name of each curve.
    """
    levels = spread([height for height, _, _ in ends], gap=0.075)
    for level, (_, colour, label) in zip(levels, ends, strict=True):
        axes.text(x, level, label, color=colour, fontsize=10, va="center", fontweight="bold")


def memory_page(record: Record) -> str:
    """Return the page: what the network is, how much it holds, what it restores, and what came of it."""
    passages = record["passages"]
    critical = float(mean_field()[0][-1])
    body = f"""<h1>A memory that completes what it is shown</h1>
<p class="lead">In 1982 John Hopfield showed that a recurrent network can remember: show it a part, and it falls into
the whole. The recurrent networks of this study descend from it.</p>
<p>Each of N neurons is +1 or −1 and is tied to each other one. To store a pattern x, Hebb's rule strengthens the tie
between neurons that agree in it. To recall, one neuron after another takes the side to which the others pull it:</p>
<pre>W = 1/N Σ x xᵀ, with a zero diagonal
s ← sign(W s), a neuron at a time
E = −½ sᵀ W s</pre>
<p>No step raises the energy E, so the network comes to rest in a valley. Stored patterns are valleys, as long as there
are few of them.</p>
<h2>How much it holds</h2>
{inline_svg(lambda: draw_memory(record), "How well patterns come back against how many are stored")}
<p>Above: random patterns. The overlap m is 1 when a pattern comes back whole. Up to {critical:.3f} patterns a neuron it
nearly does; beyond that the valleys run together, and the memory loses not one pattern but all of them. The dashed line
is what Amit, Gutfreund and Sompolinsky derived in 1985 for endlessly many neurons; with a few hundred the fall is
softer. Each band spans networks with different patterns. Below: passages of this shelf, of which more further down.</p>
<p>The <b>modern</b> network (Ramsauer et al., 2020) keeps the patterns themselves and answers with their mean, weighted
by how like they are to what it is shown:</p>
<pre>ξ ← X softmax(β Xᵀ ξ)</pre>
<p>That is the attention of transformers, and over a network's past states it is the neural cache of language models.
What it holds grows exponentially with the number of neurons.</p>
{_passages(passages) if passages else '<p class="note">The shelf is too short for passages to be stored.</p>'}"""
    return page("A memory that completes what it is shown", _CSS, body)


def _passages(passages: Record) -> str:
    sections = "\n".join(_samples(passages, sample) for sample in passages["samples"])
    return f"""<h2>What it makes of this shelf</h2>
<p>Passages of {passages["characters"]} characters are stored, each character in
{passages["neurons"] // passages["characters"]} neurons. Hebb's rule adds up what passages have in common until it
drowns what tells them apart, and texts have much in common: the bits that all letters share, and the letters that are
frequent. So a code that makes passages look unlike each other multiplies what the network holds.</p>
{_table_of_codes(passages)}
{sections}"""


def _table_of_codes(passages: Record) -> str:
    rows = []
    for name, meaning in _CODES.items():
        shares = zip(passages["counts"], passages["right"][name], strict=True)
        most = max((count for count, share in shares if share >= RESTORED_SHARE), default=0)
        rows.append(f"<tr><td>{meaning}</td><td>{passages['likeness'][name]:.3f}</td><td>{most:,}</td></tr>")
    return f"""<table>
<thead><tr><th>code</th><th>overlap of two passages</th><th>passages restored</th></tr></thead>
<tbody>
{"".join(rows)}
</tbody>
</table>
<p class="note">Passages count as restored when {_percent(RESTORED_SHARE)} of their characters are right, out of a text
with {_percent(passages["corrupted_right"])}. Tried were {", ".join(map(str, passages["counts"]))}.</p>"""


def _samples(passages: Record, sample: Record) -> str:
    """Return the passages that were recalled from a memory of some size; wrong characters are marked."""
    place = passages["counts"].index(sample["stored"])
    classical, modern = (_percent(passages["right"][name][place]) for name in ("pairs", "modern"))
    tables = "\n".join(_sample(*versions) for versions in sample["passages"])
    return f"""<h2>{counted(sample["stored"], "passage")} stored, as pairs</h2>
<p class="note">Of all characters the network of 1982 gets {classical} right, that of 2020 {modern}.</p>
{tables}"""


def _sample(original: str, corrupted: str, classical: str, modern: str) -> str:
    lines = (("stored", original), ("shown", corrupted), ("1982", classical), ("2020", modern))
    rows = []
    for name, text in lines:
        share = sum(one == other for one, other in zip(text, original, strict=True)) / len(original)
        rows.append(
            f'<tr><th>{name}</th><td class="text" dir="auto">{_mark_wrong(text, original)}</td>'
            f'<td class="number">{_percent(share)}</td></tr>'
        )
    return "<table>\n" + "\n".join(rows) + "\n</table>"


def _mark_wrong(text: str, original: str) -> str:
    """Return a text as HTML in which stretches that differ from the original are marked."""
    stretches = groupby(zip(text, original, strict=True), key=lambda pair: pair[0] == pair[1])
    spelled = ((right, escape("".join(character for character, _ in pairs))) for right, pairs in stretches)
    return "".join(piece if right else f"<mark>{piece}</mark>" for right, piece in spelled)


def _percent(share: float) -> str:
    """Return a share in percent, as HTML; only what is whole is called 100 %."""
    return f"{floor(1000 * share + 1e-9) / 10:g}&nbsp;%"
