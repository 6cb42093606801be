"""How each kind of model is drawn and written: its gates, its equations, and what they mean in plain words."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class CellDrawing(NamedTuple):
    """How a kind of cell is drawn and written."""

    title: str
    source: str
    gates: tuple[str, ...]
    """Letters of the gates, drawn as circles inside the cell."""
    has_memory: bool
    """Whether a second state, c, runs beside h."""
    equations: tuple[tuple[str, str], ...]
    """In Matplotlib's math notation, each with its meaning in plain words."""
    shape: Literal["box", "chain", "window"] = "box"
    """A box with a state; a chain of hidden states that show words; or a box that reads the last words alone."""
    output: str = "y_t"
    """What the prediction is, in the same notation; a network with h has its softmax there."""
    hidden_weight: str = r"W_{hh}"
    """What stands on the arrow from one hidden state to the next."""


CELLS: dict[str, CellDrawing] = {
    "elman": CellDrawing(
        "Simple recurrent network",
        "Elman, 1990",
        (),
        False,
        ((r"h_t = ACTIVATION(W_{xh}\,x_t + W_{hh}\,h_{t-1} + b_h)", "hidden state: all that it remembers"),),
    ),
    "gru": CellDrawing(
        "Gated recurrent unit (GRU)",
        "Cho et al., 2014",
        ("r", "z"),
        False,
        (
            (r"r_t = \sigma(W_{xr}\,x_t + W_{hr}\,h_{t-1} + b_r)", "reset gate: which past it consults"),
            (r"z_t = \sigma(W_{xz}\,x_t + W_{hz}\,h_{t-1} + b_z)", "update gate: which past it keeps"),
            (r"n_t = \tanh(W_{xn}\,x_t + b_n + r_t \odot (W_{hn}\,h_{t-1} + b_{hn}))", "what it would write anew"),
            (r"h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}", "hidden state: new and old mixed"),
        ),
    ),
    "lstm": CellDrawing(
        "Long short-term memory (LSTM)",
        "Hochreiter and Schmidhuber, 1997; Gers et al., 2000",
        ("f", "i", "o"),
        True,
        (
            (r"f_t = \sigma(W_{xf}\,x_t + W_{hf}\,h_{t-1} + b_f)", "forget gate: what the memory keeps"),
            (r"i_t = \sigma(W_{xi}\,x_t + W_{hi}\,h_{t-1} + b_i)", "input gate: what it takes in"),
            (r"o_t = \sigma(W_{xo}\,x_t + W_{ho}\,h_{t-1} + b_o)", "output gate: what it lets be seen"),
            (r"g_t = \tanh(W_{xg}\,x_t + W_{hg}\,h_{t-1} + b_g)", "what could be taken in"),
            (r"c_t = f_t \odot c_{t-1} + i_t \odot g_t", "cell state: the long memory"),
            (r"h_t = o_t \odot \tanh(c_t)", "hidden state: what is seen of it"),
        ),
    ),
    "mingru": CellDrawing(
        "Minimal GRU (minGRU)",
        "Feng et al., 2024",
        ("z",),
        False,
        (
            (r"z_t = \sigma(W_{xz}\,x_t + b_z)", "update gate: how much is written anew"),
            (r"n_t = W_{xn}\,x_t + b_n", "what it would write anew"),
            (r"h_t = (1 - z_t) \odot h_{t-1} + z_t \odot n_t", "hidden state: old and new mixed"),
        ),
        hidden_weight="",
    ),
    "minlstm": CellDrawing(
        "Minimal LSTM (minLSTM)",
        "Feng et al., 2024",
        ("f", "i"),
        False,
        (
            (r"f_t = \sigma(W_{xf}\,x_t + b_f)", "forget gate: what it would keep"),
            (r"i_t = \sigma(W_{xi}\,x_t + b_i)", "input gate: what it would take in"),
            (r"n_t = W_{xn}\,x_t + b_n", "what could be taken in"),
            (
                r"h_t = (f_t \odot h_{t-1} + i_t \odot n_t)\,/\,(f_t + i_t)",
                "hidden state: both, in shares that add to 1",
            ),
        ),
        hidden_weight="",
    ),
    "mogrifier": CellDrawing(
        "Mogrifier LSTM",
        "Melis, Kočiský and Blunsom, 2020",
        ("f", "i", "o"),
        True,
        (
            (r"x \leftarrow 2\,\sigma(Q\,h) \odot x", "the state scales the input ..."),
            (r"h \leftarrow 2\,\sigma(R\,x) \odot h", "... and the input the state, in turns"),
            (r"(f, i, o)_t = \sigma(W_{x}\,x + W_{h}\,h + b)", "gates of an LSTM: keep, take in, let be seen"),
            (r"g_t = \tanh(W_{xg}\,x + W_{hg}\,h + b_g)", "what could be taken in"),
            (r"c_t = f_t \odot c_{t-1} + i_t \odot g_t", "cell state: the long memory"),
            (r"h_t = o_t \odot \tanh(c_t)", "hidden state: what is seen of it"),
        ),
    ),
    "rlstm": CellDrawing(
        "Rewired LSTM",
        "Melis, 2022",
        ("i", "f", "o"),
        True,
        (
            (r"i_t = \sigma(W_{xi}\,x_t + W_{hi}\,h_{t-1} + b_i)", "input gate: what it takes in"),
            (r"j_t = \tanh(W_{xj}\,x_t + W_{hj}\,h_{t-1} + b_j)", "what could be taken in"),
            (r"f_t = \sigma(W_{uf}\,(i_t \odot j_t) + W_{hf}\,h_{t-1} + b_f)", "forget gate: sees what is proposed"),
            (r"c_t = f_t \odot c_{t-1} + \min(i_t, 1 - f_t) \odot j_t", "cell state: never above 1"),
            (r"o_t = \sigma(W_{co}\,c_t + b_o)", "output gate: sees the memory alone"),
            (r"h_t = o_t \odot \tanh(c_t)", "hidden state: what is seen of it"),
        ),
    ),
    "slstm": CellDrawing(
        "sLSTM of xLSTM",
        "Beck et al., 2024",
        ("f", "i", "o"),
        True,
        (
            (r"i_t = \exp(W_{xi}\,x_t + W_{hi}\,h_{t-1} + b_i)", "input gate: may outweigh all before"),
            (r"f_t = FORGET(W_{xf}\,x_t + W_{hf}\,h_{t-1} + b_f)", "forget gate: what the memory keeps"),
            (r"o_t = \sigma(W_{xo}\,x_t + W_{ho}\,h_{t-1} + b_o)", "output gate: what it lets be seen"),
            (r"z_t = \tanh(W_{xz}\,x_t + W_{hz}\,h_{t-1} + b_z)", "what could be taken in"),
            (r"c_t = f_t \odot c_{t-1} + i_t \odot z_t", "cell state: a sum with weights ..."),
            (r"n_t = f_t \odot n_{t-1} + i_t", "... and the sum of these weights"),
            (r"h_t = o_t \odot c_t\,/\,n_t", "hidden state: what is seen of the mean"),
        ),
    ),
}
"""Recurrent networks, whose state is h."""
_CHAIN = (
    (r"p(z_{t+1} = j\,|\,z_t = i) = A_{ij}", "each hidden state leads to the next"),
    (r"b_t(j) = p(z_{t+1} = j\,|\,x_1 \ldots x_t)", "the belief in each state: all that it remembers"),
)
MACHINES: dict[str, CellDrawing] = {
    "ngram": CellDrawing(
        "Kneser-Ney n-grams",
        "Kneser and Ney, 1995; Chen and Goodman, 1999",
        (),
        False,
        (
            (r"s_t = (x_{t-n+2},\ \ldots,\ x_t)", "state s: the last words, and no others"),
            (r"p(w\,|\,s) = (c(s\,w) - D)\,/\,c(s) + \gamma(s)\,p(w\,|\,s')", "s' is shorter by its first word"),
        ),
        "window",
    ),
    "feed-forward": CellDrawing(
        "Feed-forward network",
        "Bengio et al., 2003",
        (),
        False,
        (
            (r"s_t = (E\,x_{t-n+2},\ \ldots,\ E\,x_t)", "state s: the vectors of the last words"),
            (r"y_t = \mathrm{softmax}(b + U\,\tanh(d + H\,s_t))", "one hidden layer over all of them"),
        ),
        "window",
    ),
    "hmm": CellDrawing(
        "Hidden Markov model",
        "Baum et al., 1970; Rabiner, 1989",
        (),
        False,
        (*_CHAIN, (r"p(x_t = w\,|\,z_t = i) = B_{iw}", "each state shows words of its kind")),
        "chain",
        r"y_t = b_t\,B",
    ),
    "hmm-cloned": CellDrawing(
        "Hidden Markov model with cloned states",
        "Dedieu et al., 2019; George et al., 2021",
        (),
        False,
        (*_CHAIN, (r"B_{iw} = 1 \ \mathrm{or} \ 0", "each state shows one word; a word has several states")),
        "chain",
        r"y_t = b_t\,B",
    ),
    "hmm-neural": CellDrawing(
        "Neural hidden Markov model",
        "Chiu and Rush, 2020; Chiu, Deng and Rush, 2021",
        (),
        False,
        (
            *_CHAIN,
            (r"A_{ij} = \Sigma_r\ p(r\,|\,i)\ p(j\,|\,r)", "A of low rank; both factors from vectors"),
            (r"B_{iw} = \mathrm{softmax}_w(f(s_i) \cdot e_w)", "a state shows words of one class"),
        ),
        "chain",
        r"y_t = b_t\,B",
    ),
    "cache": CellDrawing(
        "Neural cache in front of a model",
        "Grave, Joulin and Usunier, 2017",
        (),
        False,
        (
            (
                r"s_t = ((h_i,\,x_{i+1})\ \mathrm{of\ the\ last\ steps},\ s'_t)",
                "state s: pairs stored, and the model's own state",
            ),
            (
                r"p_c(w) \propto \sum_i \exp(\theta\,h_t \cdot h_i)\,1\{w = x_{i+1}\}",
                "what followed where it was like this",
            ),
            (r"y_t = (1 - \lambda)\,p(w) + \lambda\,p_c(w)", "the model, and the memory"),
        ),
    ),
    "dynamic": CellDrawing(
        "Network that learns from what it reads",
        "Krause, Kahembwe, Murray and Renals, 2018",
        (),
        False,
        (
            (r"s_t = (\theta,\ s'_t,\ \mathrm{the\ segment})", "state s: its weights, and the network's own state"),
            (r"\theta \leftarrow \theta - \eta\,\nabla L\,/\,\mathrm{RMS}_g", "after each segment, a step"),
            (r"\theta \leftarrow \theta + \lambda\,(\theta_g - \theta)", "and a little of the way back"),
            (r"y_t = p_{\theta}(w)", "the network, with these weights"),
        ),
    ),
    "ensemble": CellDrawing(
        "Ensemble of models",
        "Jelinek and Mercer, 1980",
        (),
        False,
        (
            (r"s_t = (s_t^{(1)},\ s_t^{(2)},\ \ldots)", "state s: those of all members"),
            (r"y_t = \sum_m \alpha_m\,p_m(w)", "their weighted mean"),
        ),
    ),
    "unigram": CellDrawing("Unigram", "Frequencies", (), False, ((r"s_t = (\,)", "state s: it remembers nothing"),)),
    "uniform": CellDrawing("Uniform", "The floor", (), False, ((r"s_t = (\,)", "state s: it remembers nothing"),)),
}
"""Models without h: n-grams and the like, and hidden Markov models."""
_ACTIVATIONS = {"tanh": r"\tanh", "relu": r"\mathrm{ReLU}", "sigmoid": r"\sigma", "exp": r"\exp"}


def cell_drawing(model: Mapping[str, Any]) -> CellDrawing:
    """Return how a model's cell is drawn; one without a drawing of its own is a box with a state."""
    kind = model["kind"]
    if kind in MACHINES:
        return MACHINES[kind]
    if kind not in CELLS:
        equations = ((r"(y_t,\ s_t) = \mathrm{step}\,(x_t,\ s_{t-1})", "state s: all that it remembers"),)
        return CellDrawing(f"Model of the kind {kind}", "a state machine", (), False, equations)
    cell = CELLS[kind]
    names = {
        "ACTIVATION": _ACTIVATIONS.get(model.get("activation", ""), r"\tanh"),
        "FORGET": _ACTIVATIONS.get(model.get("forget_gate", ""), r"\sigma"),
    }
    written: tuple[tuple[str, str], ...] = cell.equations
    for placeholder, name in names.items():
        written = tuple((equation.replace(placeholder, name), meaning) for equation, meaning in written)
    return cell._replace(equations=written)
