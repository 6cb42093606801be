"""A study's own network, drawn unfolded in time over words of its test passage.

Time runs from left to right, and what a network computes at one step from the bottom to the top: word, vector, hidden
state, prediction. The words, the probabilities and all sizes are the run's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from nextchapter.report.cells import CELLS, MACHINES, cell_drawing
from nextchapter.report.figures import MUTED, WIDTH_INCHES, family_colours, fonts
from nextchapter.report.predictions import Passage, Prediction, percent

STEPS = 5
"""Words that go in; those that come out stand one further."""
_LAYERS_DRAWN_MAX = 3
_LEFT, _RIGHT = 0.98, 0.24
"""Inches for the names of the rows with the state that comes in, and for the one that goes out."""
_COLUMN = (WIDTH_INCHES - _LEFT - _RIGHT) / STEPS
_BOX = 0.7
_WORD, _VECTOR, _GUESSES, _TRUTH, _GAP = 0.36, 0.26, 0.84, 0.56, 0.44
_WINDOW_GAP = 0.74
_SIMPLE_CELL, _GATED_CELL, _MEMORY_CELL = 0.46, 0.72, 1.02
"""Heights of the rows, and of the arrows between them, in inches."""
_LINE = 0.3
_HEADER, _SIZES = 0.94, 1.02
"""Inches above the network, and between it and the equations."""
_PLAIN, _ACCENT = "#f2f2f5", "#c9c9d2"


def choose_window(predictions: Sequence[Prediction]) -> int:
    """Return where the most telling words of a passage begin: whole words, some foreseen; the earliest such place."""

    def worth(start: int) -> tuple[int, int]:
        part = predictions[start : start + STEPS + 1]
        return sum(entry.is_word for entry in part), min(2, sum(entry.hit for entry in part[1:]))

    starts = range(max(1, len(predictions) - STEPS))
    return max(starts, key=lambda start: (worth(start), -start))


def draw_network(run: Mapping[str, Any], passage: Passage) -> Figure:
    """Draw a run's network over five words of the passage.

    Args:
        run: its `run.json`.
        passage: of its `predictions.csv`, at least two tokens.
    """
    return _Drawing(run, passage).figure


class _Drawing:
    """The figure while it grows; lengths are inches, y counts from the bottom."""

    def __init__(self, run: Mapping[str, Any], passage: Passage) -> None:
        model = run["model"]
        self.run, self.model, self.cell = run, model, cell_drawing(model)
        self.colour = family_colours([model["kind"]])[model["kind"]]
        self.letter = "h" if model["kind"] in CELLS else "z" if self.cell.shape == "chain" else "s"
        self.has_vectors = "embedding" in model and self.cell.shape != "chain"
        self.entrance = _WINDOW_GAP if self.cell.shape == "window" else _GAP
        self.layers = int(model.get("layers", 1))
        self.rows = min(self.layers, _LAYERS_DRAWN_MAX)
        start = choose_window(passage.predictions)
        self.window = passage.predictions[start : start + STEPS + 1]
        self.steps = len(self.window) - 1
        gated = _MEMORY_CELL if self.cell.has_memory else _GATED_CELL
        self.cell_height = gated if self.cell.gates else _SIMPLE_CELL
        lines = [*self.cell.equations, self._output_line()]
        below = _SIZES + _LINE * len(lines) + 0.12
        vectors = _VECTOR + _GAP if self.has_vectors else 0
        net = _WORD + vectors + self.rows * self.cell_height + _GUESSES + _TRUTH + _GAP
        net += self.entrance + (self.rows - 1) * _GAP
        height = below + net + _HEADER
        self.figure = Figure(figsize=(WIDTH_INCHES, height))
        self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set(xlim=(0, WIDTH_INCHES), ylim=(0, height))
        self.axes.axis("off")
        self._title(height, passage)
        for step in range(self.steps):
            self._column(step, below)
        self._explain(below, lines)

    def _output_line(self) -> tuple[str, str]:
        if self.letter != "h":
            return self.cell.output, "a probability for each next word"
        top = "h_t" if self.layers == 1 else rf"h_t^{{({self.layers})}}"
        projected = self.model.get("tied") and self.model.get("embedding") != self.model.get("hidden")
        weights = r"W_s = E\,P" if projected else "W_s = E" if self.model.get("tied") else ""
        note = rf",\quad {weights}" if weights else ""
        return rf"y_t = \mathrm{{softmax}}(W_s\,{top} + b_s){note}", "a probability for each next word"

    def _title(self, height: float, passage: Passage) -> None:
        book = passage.book if len(passage.book) <= 44 else f"{passage.book[:43]}…"
        texts: tuple[tuple[float, str, dict[str, Any]], ...] = (
            (0.12, self.cell.title, {"fontsize": 13.5, "fontweight": "bold"}),
            (0.38, self.cell.source, {"fontsize": 9.5, "color": MUTED}),
            (0.58, f"{self.run['run']} reads {book}, chapter {passage.chapter}", {"fontsize": 9.5, "color": MUTED}),
        )
        for depth, text, look in texts:
            self.axes.text(0.12, height - depth, text, va="top", parse_math=False, **look)

    def _column(self, step: int, bottom: float) -> None:
        """Draw one step: word, vector, cells, guesses, truth."""
        x, y, model = _LEFT + (step + 0.5) * _COLUMN, bottom, self.model
        self._word(x, y, self.window[step])
        self._name_row(step, y + _WORD / 2, f"word\n1 of {self.run['vocabulary_size']:,}")
        y += _WORD
        if self.has_vectors:
            self._up(x, y, "E")
            y += _GAP
            self._vector(x, y)
            self._name_row(step, y + _VECTOR / 2, f"vector\n{model['embedding']:,} long")
            y += _VECTOR
        for layer in range(self.rows):
            y = self._enter(step, x, y, layer)
            self._cell(step, x, y, layer)
            self._name_row(step, y + self.cell_height / 2, self._layer_name(layer))
            y += self.cell_height
        self._up(x, y, {"h": "W_s", "z": "A,\\,B"}.get(self.letter, ""))
        y += _GAP
        self._guesses(x, y, self.window[step + 1])
        self._name_row(step, y + _GUESSES / 2, "what it\nexpects\nnext")
        y += _GUESSES + 0.06
        self._truth(x, y, self.window[step + 1])
        self._name_row(step, y + _TRUTH / 2, "what does\ncome next")

    def _enter(self, step: int, x: float, y: float, layer: int) -> float:
        """Draw what leads into a cell, or from a hidden state to its word; return where the cell begins."""
        if layer:
            self._up(
                x, y, r"\cdots" if layer == 1 and self.layers > self.rows else "W_{xh}" if self.letter == "h" else ""
            )
            return y + _GAP
        if self.cell.shape == "chain":
            self._arrow((x, y + _GAP - 0.02), (x, y + 0.02), self.colour, 1.4)
            self.axes.text(x + 0.07, y + _GAP / 2, "$B$", va="center", fontsize=10.5)
        elif self.cell.shape == "window":
            for place in range(max(0, step - self.model["order"] + 2), step + 1):
                start = (_LEFT + (place + 0.5) * _COLUMN, y + 0.02)
                self._arrow(start, (x - 0.09 * (step - place), y + self.entrance - 0.02), MUTED, 0.9)
        else:
            self._up(x, y, "W_{xh}" if self.letter == "h" else "")
        return y + self.entrance

    def _name_row(self, step: int, y: float, text: str) -> None:
        if step == 0:
            self.axes.text(0.12, y, text, fontsize=9, color=MUTED, va="center", linespacing=1.2)

    def _layer_name(self, layer: int) -> str:
        if self.cell.shape == "window":
            return f"reads the\nlast {self.model['order'] - 1}"
        if self.cell.shape == "chain":
            return f"hidden\nstate\n{_states_of(self.model)}".rstrip()
        name = "state" if self.letter == "s" else "hidden\nlayer"
        if self.layers > 1:
            name = f"layer\n{self._layer_number(layer)} of {self.layers}"
        is_width = "hidden" in self.model and self.model["kind"] not in MACHINES
        return f"{name}\n{self.model['hidden']:,}" if is_width else name

    def _word(self, x: float, y: float, prediction: Prediction) -> None:
        self._box(x, y, _COLUMN - 0.14, _WORD, face=_PLAIN, edge=_ACCENT)
        self._serif(x, y + _WORD / 2, prediction.shown(prediction.true), width=_COLUMN - 0.2, size=13)

    def _vector(self, x: float, y: float) -> None:
        side = _VECTOR * 0.62
        for place in range(5):
            left = x + (place - 2.5) * side
            if place == 3:
                self.axes.text(left + side / 2, y + _VECTOR / 2, "…", ha="center", va="center", fontsize=9, color=MUTED)
                continue
            face, edge = "#e3e3ea", "#9a9aa6"
            self.axes.add_patch(
                Rectangle((left, y + _VECTOR * 0.19), side, side, facecolor=face, edgecolor=edge, lw=0.7)
            )

    def _cell(self, step: int, x: float, y: float, layer: int) -> None:
        """Draw a cell, its gates, and the arrows of its state from the step before."""
        middle = y + (0.22 if self.cell.gates else self.cell_height / 2)
        if self.cell.shape == "chain":
            self._hidden_state(step, x, middle)
            return
        self._box(x, y, _BOX, self.cell_height, face=self.colour, edge=self.colour, alpha=0.13)
        self._state(x, middle, self._symbol(self.letter, step + 1, layer))
        if self.cell.shape != "window":
            self._sideways(step, middle, layer, self.letter, self.cell.hidden_weight)
        if self.cell.gates:
            self._gates(x, y + 0.52)
        if self.cell.has_memory:
            top = y + self.cell_height - 0.2
            self._state(x, top, self._symbol("c", step + 1, layer))
            self._sideways(step, top, layer, "c", "")

    def _hidden_state(self, step: int, x: float, y: float) -> None:
        """Draw a circle with the arrows of the chain; circles are what nobody sees, boxes what stands in the book."""
        radius = self.cell_height / 2
        for look in ({"fc": self.colour, "ec": "none", "alpha": 0.13}, {"fc": "none", "ec": self.colour, "lw": 1.2}):
            self.axes.add_patch(Circle((x, y), radius, **look))
        self._state(x, y, self._symbol("z", step + 1, 0))
        self._sideways(step, y, 0, "z", "A", half_width=radius)

    def _gates(self, x: float, y: float) -> None:
        gates = self.cell.gates
        for place, gate in enumerate(gates):
            at = x + (place - (len(gates) - 1) / 2) * 0.225
            self.axes.add_patch(Circle((at, y), 0.098, facecolor="white", edgecolor=self.colour, lw=1.0))
            self.axes.text(at, y - 0.004, f"${gate}$", ha="center", va="center", fontsize=10.5)

    def _state(self, x: float, y: float, symbol: str) -> None:
        self.axes.text(x, y, symbol, ha="center", va="center", fontsize=13)

    def _symbol(self, letter: str, step: int, layer: int) -> str:
        above = f"^{{({self._layer_number(layer)})}}" if self.layers > 1 else ""
        return f"${letter}_{{{step}}}{above}$"

    def _layer_number(self, layer: int) -> int:
        """Return the number of a drawn layer; of many, the first and the last two are drawn."""
        return layer + 1 if layer == 0 or self.layers == self.rows else self.layers - self.rows + layer + 1

    def _sideways(
        self, step: int, y: float, layer: int, letter: str, weights: str, half_width: float = _BOX / 2
    ) -> None:
        """Draw the arrow that brings a state from the step before, and the one that leaves the last step."""
        right = _LEFT + (step + 0.5) * _COLUMN - half_width
        left = right - (_COLUMN - 2 * half_width) if step else right - 0.24
        self._arrow((left, y), (right, y), self.colour, 1.8)
        if step == 0:
            self.axes.text(left - 0.05, y, self._symbol(letter, 0, layer), ha="right", va="center", fontsize=12)
        elif weights and self.letter != "s":
            self.axes.text((left + right) / 2, y + 0.06, f"${weights}$", ha="center", va="bottom", fontsize=9.5)
        if step == self.steps - 1:
            end = right + 2 * half_width
            self._arrow((end, y), (end + 0.22, y), self.colour, 1.8)

    def _up(self, x: float, y: float, weights: str) -> None:
        self._arrow((x, y + 0.02), (x, y + _GAP - 0.02), MUTED, 1.2)
        if weights:
            self.axes.text(x + 0.07, y + _GAP / 2, f"${weights}$", va="center", fontsize=10.5)

    def _guesses(self, x: float, y: float, prediction: Prediction) -> None:
        """Draw the three likeliest words as bars, as long as they are probable."""
        width, height = _COLUMN - 0.14, _GUESSES / 3
        for rank, (token, probability) in enumerate(prediction.ranked[:3]):
            base = y + _GUESSES - (rank + 1) * height
            left = x - width / 2
            self.axes.add_patch(Rectangle((left, base + 0.02), width, height - 0.04, facecolor=_PLAIN, lw=0))
            self.axes.add_patch(
                Rectangle(
                    (left, base + 0.02), width * probability, height - 0.04, facecolor=self.colour, alpha=0.35, lw=0
                )
            )
            self._serif(
                left + 0.04, base + height / 2, prediction.shown(token), width=width - 0.46, size=12, align="left"
            )
            number = f"{probability:.0%}" if probability >= 0.005 else "<1%"
            self.axes.text(left + width - 0.03, base + height / 2, number, ha="right", va="center", fontsize=9)

    def _truth(self, x: float, y: float, prediction: Prediction) -> None:
        edge = self.colour if prediction.hit else _ACCENT
        self._box(x, y, _COLUMN - 0.14, _TRUTH - 0.06, face="white", edge=edge, line=2.0 if prediction.hit else 1.0)
        mark = "\N{HEAVY CHECK MARK} " if prediction.hit else ""
        self._serif(x, y + _TRUTH * 0.62, prediction.shown(prediction.true), width=_COLUMN - 0.2, size=13)
        text = f"{mark}{percent(prediction.true_probability)}"
        self.axes.text(x, y + _TRUTH * 0.24, text, ha="center", va="center", fontsize=9, color=MUTED)

    def _explain(self, below: float, lines: Sequence[tuple[str, str]]) -> None:
        """Write under the drawing what holds at each step: the sizes, and the equations with their meaning."""
        axes, y = self.axes, below - 0.2
        axes.text(0.12, y, self._same_weights(), va="top", fontsize=10.5, color=self.colour, fontweight="bold")
        axes.text(0.12, y - 0.23, self._sizes(), va="top", fontsize=9.5, color=MUTED, linespacing=1.3)
        for place, (equation, meaning) in enumerate(lines):
            y = below - _SIZES - _LINE * place
            axes.text(0.12, y, f"${equation}$", va="baseline", fontsize=12)
            axes.text(WIDTH_INCHES - 0.12, y, meaning, va="baseline", ha="right", fontsize=9, color=MUTED)

    def _same_weights(self) -> str:
        if self.cell.shape == "chain":
            return "The same tables A and B at each step"
        return "The same weights at each step" + ("; each gate has its own" if self.cell.gates else "")

    def _sizes(self) -> str:
        left_out = self.layers - self.rows
        note = f", {left_out} of {self.layers} layers not drawn" if left_out else ""
        vectors = "E turns a word into its vector" if self.has_vectors else ""
        vectors += {True: "; ", False: ". "}[self.cell.shape == "box"] if vectors else ""
        before = f"${self.letter}_0$ holds what was read before."
        if self.cell.shape == "chain":
            before = "Nobody sees the states: the model knows how probable each is, from all words so far."
        if self.cell.shape == "window":
            before = f"What stood before the last {self.model['order'] - 1} words is forgotten."
        return f"{self.run['parameters']:,} weights in all{note}.\n{vectors}{before}"

    def _box(
        self, x: float, y: float, width: float, height: float, *,
        face: str, edge: str, alpha: float = 1.0, line: float = 1.0,
    ) -> None:  # fmt: skip
        """Draw a box with round corners, centred on x, that stands on y."""
        corner, style = (x - width / 2, y), "round,pad=0,rounding_size=0.05"
        looks: tuple[dict[str, Any], ...] = (
            {"fc": face, "ec": "none", "alpha": alpha},
            {"fc": "none", "ec": edge, "lw": line},
        )
        for look in looks:
            self.axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, **look))

    def _arrow(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float) -> None:
        self.axes.add_patch(
            FancyArrowPatch(
                start, end, arrowstyle="-|>", mutation_scale=9, color=colour, lw=width, shrinkA=0, shrinkB=0
            )
        )

    def _serif(self, x: float, y: float, text: str, *, width: float, size: float, align: Any = "center") -> None:
        """Write a word of the book in a book's letters, smaller where it would not fit."""
        fitting = width / (0.0066 * max(1, len(text)))
        look: dict[str, Any] = {
            "fontsize": min(size, max(6, fitting)),
            "fontfamily": fonts("STIXGeneral"),
            "parse_math": False,
        }
        self.axes.text(x, y, text, ha=align, va="center", **look)


def _states_of(model: Mapping[str, Any]) -> str:
    """Return of how many states one is on: `1 of 256`; empty where the specification does not say."""
    count = model.get("states") or model.get("classes", 0) * model.get("states_per_class", 0)
    return f"1 of {count:,}" if count else ""
