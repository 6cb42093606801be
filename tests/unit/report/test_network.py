from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch

from nextchapter.report.cells import cell_drawing
from nextchapter.report.network import choose_window, draw_network
from nextchapter.report.predictions import Passage, Prediction, read_predictions


def prediction(true: str, guess: str = " the", share: float = 0.4) -> Prediction:
    return Prediction("a", true, 0.01 if true != guess else share, ((guess, share), (" of", 0.1), (" and", 0.05)))


@pytest.fixture
def passage(results_tree: Callable[..., Path]) -> Passage:
    return read_predictions(results_tree("other") / "runs/lstm-384.s1/predictions.csv")


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("layers", [1, 2, 7])
@pytest.mark.parametrize("run", ["elman-384.s1", "gru-384.s1", "lstm-384.s1"])
def test_nothing_that_is_written_is_cut_off(
    run: str,
    layers: int,
    run_of: Callable[..., Any],
    passage: Passage,
    in_style: None,
    texts_outside: Callable[[Figure], list[str]],
) -> None:
    record = run_of(run, layers=layers) | {"parameters": 123_456_789, "vocabulary_size": 65_535}
    assert texts_outside(draw_network(record, passage)) == []


@pytest.mark.parametrize("kind", ["mogrifier", "rlstm", "slstm"])
def test_the_other_cells_have_a_drawing_of_their_own(
    kind: str,
    run_of: Callable[..., Any],
    passage: Passage,
    in_style: None,
    texts_outside: Callable[[Figure], list[str]],
) -> None:
    figure = draw_network(run_of("lstm-384.s1", kind=kind), passage)
    assert texts_outside(figure) == []
    assert {"$h_{5}$", "$c_{5}$", "$f$", "$i$", "$o$"} <= set(texts(figure))


def test_the_forget_gate_of_an_slstm_is_written_as_it_is() -> None:
    for gate, written in (("sigmoid", r"\sigma"), ("exp", r"\exp")):
        equations = cell_drawing({"kind": "slstm", "forget_gate": gate}).equations
        assert equations[1][0].startswith(f"f_t = {written}(")


def test_the_drawing_says_what_the_network_is(run_of: Callable[..., Any], passage: Passage, in_style: None) -> None:
    written = texts(draw_network(run_of("lstm-384.s1"), passage))
    for text in (
        "word\n1 of 2,000",
        "vector\n192 long",
        "hidden\nlayer\n384",
        "$h_{5}$",
        "$c_{5}$",
        "$f$",
        "$i$",
        "$o$",
    ):
        assert text in written
    assert written.count("$W_{xh}$") == written.count("$W_s$") == 5
    assert written.count("$W_{hh}$") == 4
    assert any(text.startswith("The same weights at each step") for text in written)
    assert any(text.startswith("1,345,000 weights in all") for text in written)


def test_each_column_shows_a_word_what_was_expected_and_what_came(run_of: Callable[..., Any], in_style: None) -> None:
    words = [" it", " was", " a", " truth", " universally", " acknowledged"]
    read = Passage("emma", 3, [prediction(word, guess=" was" if word == " was" else " the") for word in words])
    written = texts(draw_network(run_of("gru-384.s1"), read))
    for word in words[1:5]:
        assert written.count(word.strip()) == (3 if word == " was" else 2)
    assert written.count("it") == 1
    assert written.count("acknowledged") == 1
    assert written.count("\N{HEAVY CHECK MARK} 40 %") == 1
    assert written.count("1.0 %") == 4


def test_the_equations_are_those_of_the_model(run_of: Callable[..., Any], passage: Passage, in_style: None) -> None:
    relu = texts(draw_network(run_of("elman-384.s1", activation="relu"), passage))
    assert r"$h_t = \mathrm{ReLU}(W_{xh}\,x_t + W_{hh}\,h_{t-1} + b_h)$" in relu
    assert r"$y_t = \mathrm{softmax}(W_s\,h_t + b_s),\quad W_s = E\,P$" in relu
    square = texts(draw_network(run_of("elman-384.s1", embedding=384), passage))
    assert r"$y_t = \mathrm{softmax}(W_s\,h_t + b_s),\quad W_s = E$" in square
    untied = texts(draw_network(run_of("lstm-384.s1", tied=False, layers=2), passage))
    assert r"$y_t = \mathrm{softmax}(W_s\,h_t^{(2)} + b_s)$" in untied
    assert r"$c_t = f_t \odot c_{t-1} + i_t \odot g_t$" in untied


@pytest.mark.parametrize(("kind", "gates"), [("mingru", "z"), ("minlstm", "fi")])
def test_a_minimal_cell_has_gates_and_no_matrix_between_its_states(
    kind: str,
    gates: str,
    run_of: Callable[..., Any],
    passage: Passage,
    in_style: None,
    texts_outside: Callable[[Figure], list[str]],
) -> None:
    figure = draw_network(run_of("gru-384.s1", kind=kind), passage)
    written = texts(figure)
    assert texts_outside(figure) == []
    assert all(written.count(f"${gate}$") == 5 for gate in gates)
    assert written.count("$W_{xh}$") == 5
    assert "$W_{hh}$" not in written
    assert "$h_{5}$" in written


def test_each_activation_has_its_sign() -> None:
    signs = {name: cell_drawing({"kind": "elman", "activation": name}).equations[0][0] for name in ("tanh", "sigmoid")}
    assert r"\tanh(" in signs["tanh"]
    assert r"\sigma(" in signs["sigmoid"]


def test_the_layers_that_are_left_out_are_counted(run_of: Callable[..., Any], passage: Passage, in_style: None) -> None:
    written = texts(draw_network(run_of("lstm-384.s1", layers=7), passage))
    assert [text for text in written if text.startswith("layer\n")] == [
        "layer\n1 of 7\n384", "layer\n6 of 7\n384", "layer\n7 of 7\n384"
    ]  # fmt: skip
    assert any("4 of 7 layers not drawn" in text for text in written)


@pytest.mark.parametrize(
    ("model", "titled"),
    [
        ({"kind": "new", "states": 64}, "Model of the kind new"),
        ({"kind": "ngram", "order": 5}, "Kneser-Ney n-grams"),
        ({"kind": "unigram"}, "Unigram"),
        ({"kind": "cache", "of": "lstm-384", "size": 500}, "Neural cache in front of a model"),
        ({"kind": "dynamic", "of": "lstm-384", "segment": 20}, "Network that learns from what it reads"),
        ({"kind": "ensemble", "members": ["lstm-384", "ngram-5"]}, "Ensemble of models"),
        ({"kind": "uniform"}, "Uniform"),
        ({"kind": "feed-forward", "order": 5, "hidden": 256, "embedding": 128}, "Feed-forward network"),
    ],
)
def test_a_model_of_another_kind_is_a_box_with_a_state(
    model: dict[str, Any],
    titled: str,
    run_of: Callable[..., Any],
    passage: Passage,
    in_style: None,
    texts_outside: Callable[[Figure], list[str]],
) -> None:
    record = run_of("lstm-384.s1") | {"model": model}
    figure = draw_network(record, passage)
    assert texts_outside(figure) == []
    assert titled in texts(figure)
    assert "$s_{5}$" in texts(figure)
    assert not any("W_" in text for text in texts(figure))


CHAINS: list[dict[str, Any]] = [
    {"kind": "hmm", "states": 256},
    {"kind": "hmm-cloned", "states": 65536},
    {"kind": "hmm-neural", "classes": 64, "states_per_class": 32, "rank": 64, "embedding": 128},
]


@pytest.mark.parametrize("model", CHAINS, ids=lambda model: model["kind"])
def test_a_hidden_markov_model_is_a_chain_of_states_that_show_the_words(
    model: dict[str, Any],
    run_of: Callable[..., Any],
    passage: Passage,
    in_style: None,
    texts_outside: Callable[[Figure], list[str]],
) -> None:
    figure = draw_network(run_of("lstm-384.s1") | {"model": model, "parameters": 123_456_789}, passage)
    assert texts_outside(figure) == []
    written = texts(figure)
    count = {"hmm": "256", "hmm-cloned": "65,536", "hmm-neural": "2,048"}[model["kind"]]
    assert f"hidden\nstate\n1 of {count}" in written
    assert [written.count(text) for text in ("$z_{5}$", "$A$", "$B$", r"$A,\,B$")] == [1, 4, 5, 5]
    assert not any("vector\n" in text for text in written)
    circles = [patch for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert len(circles) == 2 * 5
    assert len(arrows) == 5 + 5 + 6  # to the words, to the guesses, along the chain


@pytest.mark.parametrize(
    ("model", "read"),
    [
        ({"kind": "ngram", "order": 1}, 0),
        ({"kind": "ngram", "order": 3}, 1 + 4 * 2),
        ({"kind": "ngram", "order": 12}, 1 + 2 + 3 + 4 + 5),
        ({"kind": "feed-forward", "order": 4, "hidden": 8, "embedding": 4}, 5 + 1 + 2 + 3 * 3),
    ],
)
def test_a_window_reads_the_last_words_and_nothing_else(
    model: dict[str, Any], read: int, run_of: Callable[..., Any], passage: Passage, in_style: None
) -> None:
    figure = draw_network(run_of("lstm-384.s1") | {"model": model}, passage)
    arrows = [patch for patch in figure.axes[0].patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == read + 5  # and one from each to what it expects
    assert f"reads the\nlast {model['order'] - 1}" in texts(figure)


@pytest.mark.parametrize("words", [[" a$b$c", " x_1^2", " {", " \\frac", " 红楼", " $"], [" one", " two"], [" alone"]])
def test_any_words_can_be_drawn(words: list[str], run_of: Callable[..., Any], in_style: None) -> None:
    read = Passage("a $1 book$ {", 1, [prediction(word) for word in words])
    figure = draw_network(run_of("gru-384.s1"), read)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.showwarning", lambda *_: None)
        assert len(texts(figure)) > 10


def test_the_window_has_whole_words_of_which_some_were_foreseen() -> None:
    parts = [prediction(word) for word in [" a", "ing", ",", "<0x0A>"]]
    dull = [prediction(word) for word in [" one", " two", " three", " four", " five", " six"]]
    telling = [prediction(word, guess=word) for word in [" red", " green", " blue", " grey", " pink", " gold"]]
    assert choose_window([*parts, *dull]) == 4
    assert choose_window([*parts, *dull, *parts, *telling, *telling]) == 14
    assert choose_window(parts) == 0
