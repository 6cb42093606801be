from collections.abc import Callable, Mapping
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nextchapter.report.data_size import SCORE, data_size_table, draw_data_size

SHARES = {0.125: 1000, 0.25: 2100, 1.0: 8000}


def record(run: str, share: float = 1.0, tokens: int = 8000, **changes: Any) -> dict[str, Any]:
    base = {
        "run": run, "model": {"kind": "lstm", "hidden": 8}, "tokenizer": "t", "embedding": None, "seed": 1,
        "training": {"max_epochs": 6.0}, "train_chapters": 3, "train_tokens": tokens, "tokens": 6 * tokens,
        "train_seconds": tokens / 100, "parameters": 9,
    }  # fmt: skip
    return base | ({"train_share": share} if share < 1 else {}) | changes


def metrics(run: str, test: float) -> dict[str, Any]:
    split = {"bits_per_character": test, "ci_low": test - 0.1, "ci_high": test + 0.2}
    return {"run": run, "splits": {"valid": split, "test": split}}


def on_shares(name: str, worst: float, seed: int = 1, **changes: Any) -> list[tuple[dict[str, Any], float]]:
    """Return runs of one network on three shares, each better than the one before."""
    return [
        (record(f"{name}.{place}.s{seed}", share, tokens, seed=seed, search={"name": name}, **changes), worst - place)
        for place, (share, tokens) in enumerate(SHARES.items())
    ]


def of_states(counts: Mapping[int, float]) -> list[tuple[dict[str, Any], float]]:
    return [
        (record(f"sizes.{states}.s1", model={"kind": "hmm", "states": states}, train_seconds=states), bits)
        for states, bits in counts.items()
    ]


def table_of(*runs: tuple[dict[str, Any], float]) -> Any:
    return data_size_table([run for run, _ in runs], [metrics(run["run"], bits) for run, bits in runs])


def heights(axes: Axes, label_colour: str) -> list[float]:
    """Return the heights of the line with dots in a colour."""
    (line,) = [line for line in axes.lines if line.get_color() == label_colour and line.get_marker() == "o"]
    return [float(height) for height in line.get_ydata()]


def test_runs_of_one_network_are_those_that_differ_in_share_and_seed_alone() -> None:
    gru = {"model": {"kind": "gru", "hidden": 8}}
    other = [(record("other.s1", 0.25, model={"kind": "lstm", "hidden": 9}), 3.0)]
    table = table_of(*on_shares("lstm", 5.0), *on_shares("lstm", 5.5, seed=2), *on_shares("gru", 4.5, **gru), *other)
    assert table.groupby("network").size().to_dict() == {"gru": 3, "lstm": 6}
    assert table["family"].unique().tolist() == [""]
    assert table[table["network"] == "gru"]["train_share"].tolist() == [0.125, 0.25, 1.0]


def test_a_network_of_no_search_or_of_a_larger_one_is_called_by_its_run_with_most_data() -> None:
    wide, plain = {"model": {"kind": "lstm", "hidden": 64}}, {"search": {}}
    runs = [
        *on_shares("s", 5.0),
        *((run | wide | {"run": f"w{run['run']}"}, bits) for run, bits in on_shares("s", 4.0)),
    ]
    assert sorted(table_of(*runs)["network"].unique()) == ["s.2", "ws.2"]
    unsearched = [(run | plain, bits) for run, bits in on_shares("plain", 5.0)]
    assert table_of(*unsearched)["network"].unique().tolist() == ["plain.2"]


def test_hidden_markov_models_of_several_sizes_are_a_family_on_all_chapters_only() -> None:
    small = (record("part.s1", 0.125, model={"kind": "hmm", "states": 9}), 4.0)
    table = table_of(*on_shares("lstm", 5.0), *of_states({16: 3.0, 64: 2.5}), small)
    family = table[table["family"] == "hmm"]
    assert family["states"].tolist() == [16, 64]
    assert "part.s1" not in set(table["run"])


def test_metrics_of_other_runs_are_refused() -> None:
    with pytest.raises(ValueError, match="same runs"):
        data_size_table([record("a.s1")], [metrics("b.s1", 2.0)])


@pytest.mark.usefixtures("in_style")
def test_lines_are_means_over_seeds_and_bands_their_intervals() -> None:
    figure = draw_data_size(table_of(*on_shares("lstm", 5.0), *on_shares("lstm", 5.5, seed=2)))
    scores, costs = figure.axes
    assert heights(scores, "#0072B2") == pytest.approx([5.25, 4.25, 3.25])
    assert heights(costs, "#0072B2") == pytest.approx([10.0, 21.0, 80.0])
    band = scores.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (pytest.approx(3.15), pytest.approx(5.45))
    labels = [label.get_text() for label in scores.get_xticklabels()]
    assert labels == ["1/8\n1,000", "1/4\n2,100", "all\n8,000"]


@pytest.mark.usefixtures("in_style")
def test_states_have_a_panel_with_the_other_networks_beside(texts_outside: Callable[[Figure], list[str]]) -> None:
    runs = [*on_shares("lstm", 5.0), *of_states({16: 3.0, 64: 2.5, 1024: 2.4})]
    figure = draw_data_size(table_of(*runs))
    panel = figure.axes[2]
    assert heights(panel, "#A8527F") == [3.0, 2.5, 2.4]
    assert [text.get_text() for text in panel.texts] == ["16", "64", "1,024", "hmm, by states", "lstm"]
    (diamond,) = [line for line in panel.lines if line.get_marker() == "D"]
    assert (diamond.get_xdata()[0], diamond.get_ydata()[0]) == (80.0, 3.0)
    assert texts_outside(figure) == []
    assert len(draw_data_size(table_of(*on_shares("lstm", 5.0))).axes) == 2


@pytest.mark.usefixtures("in_style")
def test_tokens_of_two_kinds_are_not_named_by_share() -> None:
    runs = [*on_shares("lstm", 5.0), *on_shares("letters", 4.0, tokenizer="characters")]
    scores = draw_data_size(table_of(*runs)).axes[0]
    assert scores.get_xlabel() == "training text (tokens)"
    assert SCORE in table_of(*runs).columns


@pytest.mark.usefixtures("in_style")
def test_scores_without_intervals_are_drawn_without_bands() -> None:
    runs = on_shares("lstm", 5.0)
    scores = [metrics(run["run"], bits) for run, bits in runs]
    for score in scores:
        score["splits"]["test"] |= {"ci_low": None, "ci_high": None}
    figure = draw_data_size(data_size_table([run for run, _ in runs], scores))
    assert heights(figure.axes[0], "#0072B2") == [5.0, 4.0, 3.0]
    assert not any(path.vertices.size for path in figure.axes[0].collections[0].get_paths())
