"""The look of all figures: one palette, one width, and files whose bytes depend on what is drawn alone."""

import io
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.store.files import atomic_path

WIDTH_INCHES = 6.4
"""Width of a figure: 1280 pixels as PNG, and letters of nine pixels on a telephone."""
DOTS_PER_INCH = 200

INK, MUTED, FAINT = "#1c1c22", "#5b5b66", "#d9d9e0"

# Okabe and Ito's palette, which people with any kind of colour vision tell apart; purple and orange are
# darkened so that names can be written in them, and the yellow is left out.
# Models that count are grey, hidden Markov models purple to violet.
_FAMILY_COLOURS = {
    "elman": "#D55E00", "gru": "#009E73", "lstm": "#0072B2", "feed-forward": "#3E9FD8",
    "hmm": "#A8527F", "hmm-cloned": "#6B5B95", "hmm-neural": "#42275E",
    "ngram": "#6F6F78", "unigram": "#93939C", "uniform": "#AEAEB6",
    "cache": "#B07A00", "ensemble": "#000000", "mingru": "#7B3F00", "minlstm": "#2F8F8F", "mogrifier": "#C2185B",
    "rlstm": "#5D7A1F", "slstm": "#8C6BD9", "dynamic": "#A0522D",
}  # fmt: skip
_OTHER_COLOURS = ("#4C4C9D", "#1B7837", "#D6604D", "#A6761D", "#5F7FA3", "#9C5575")  # for a family that is new

# Matplotlib brings the first two; the others serve alphabets those lack, where the machine has them.
_FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
)

_STYLE: Any = {
    "svg.hashsalt": "nextchapter",
    "svg.fonttype": "path",
    "mathtext.fontset": "stix",
    "figure.dpi": DOTS_PER_INCH,
    "figure.facecolor": "white",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.labelsize": 11,
    "axes.titlesize": 12.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "lines.solid_capstyle": "round",
}


def save_figure(draw: Callable[[], Figure], svg: Path, png: Path) -> None:
    """Draw a figure in the project's style and write it as SVG and as PNG, both without dates."""
    with _style():
        figure = draw()
        with atomic_path(svg) as path:
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        with atomic_path(png) as path:
            figure.savefig(path, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def inline_svg(draw: Callable[[], Figure], label: str) -> str:
    """Draw a figure in the project's style and return it as an element to stand inside a page.

    Args:
        draw: makes the figure.
        label: what it shows, for those who can't see it.
    """
    file = io.StringIO()
    with _style():
        draw().savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    svg = file.getvalue()
    svg = re.sub(r'\s(?:xmlns(?::xlink)?|version|width|height)="[^"]*"', "", svg[svg.index("<svg") :], count=5)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


@contextmanager
def _style() -> Iterator[None]:
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        mpl.rcParams["font.family"] = fonts("DejaVu Sans")
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a box stands for the letter
        yield


def fonts(first: str) -> list[str]:
    """Return a family of fonts: the first, then those that stand in for letters it lacks."""
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return [first, "DejaVu Sans", *(name for name in _FALLBACK_FONTS if name in known)]


def family_colours(kinds: Iterable[str]) -> dict[str, str]:
    """Return a colour for each kind of model; those of the families named here never change."""
    others = sorted(set(kinds) - set(_FAMILY_COLOURS))
    assigned = {kind: _OTHER_COLOURS[place % len(_OTHER_COLOURS)] for place, kind in enumerate(others)}
    return {**_FAMILY_COLOURS, **assigned}


def configuration_colours(kinds: Mapping[str, str]) -> dict[str, str]:
    """Return a colour for each of some configurations: that of its family, unless it must share the family.

    Args:
        kinds: the kind of model of each.
    """
    families = Counter(kinds.values())
    own = family_colours(families)
    taken = {own[kind] for kind, count in families.items() if count == 1}
    free = cycle([colour for colour in (*_FAMILY_COLOURS.values(), *_OTHER_COLOURS) if colour not in taken])
    return {name: own[kind] if families[kind] == 1 else next(free) for name, kind in kinds.items()}


def short_name(name: str, most: int = 22) -> str:
    """Return a name that fits beside a figure: its beginning and its end, where the seed stands."""
    return name if len(name) <= most else f"{name[: most - 8]}…{name[-7:]}"


class LineEnd(NamedTuple):
    """A name, and the end of the line that it belongs to."""

    name: str
    colour: str
    x: float
    y: float


def label_line_ends(axes: Axes, ends: Sequence[LineEnd], gap: float = 0.062) -> None:
    """Write each name at the right edge, level with the end of its line, without two names touching.

    Args:
        axes: with all that is drawn in it, and the scales that it will have.
        ends: in the units of the axes.
        gap: between two names, as a share of the height of the axes.
    """
    axes.autoscale_view()  # matplotlib puts off the limits until it draws
    to_shares = axes.transData + axes.transAxes.inverted()
    places = [to_shares.transform((end.x, end.y)) for end in ends]
    levels = spread([float(y) for _, y in places], gap)
    for end, (x, y), level in zip(ends, places, levels, strict=True):
        look: Any = {"transform": axes.transAxes, "color": end.colour, "clip_on": False}
        axes.plot([x, 1, 1.025], [y, y, level], linewidth=0.7, linestyle=(0, (1, 2)), **look)
        axes.text(1.03, level, short_name(end.name), fontsize=10, va="center", fontweight="bold", **look)


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Return positions moved as little as need be so that any two are at least `gap` apart, in the same order."""
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _bottom(groups[-1], positions, gap) - _top(groups[-2], positions, gap) < gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    moved = list(positions)
    for group in groups:
        for place, index in enumerate(group):
            moved[index] = _bottom(group, positions, gap) + place * gap
    return moved


def _bottom(group: list[int], positions: Sequence[float], gap: float) -> float:
    return sum(positions[index] for index in group) / len(group) - gap * (len(group) - 1) / 2


def _top(group: list[int], positions: Sequence[float], gap: float) -> float:
    return _bottom(group, positions, gap) + gap * (len(group) - 1)
