from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from nextchapter.report.curves import COLUMNS, POINTS_MAX, draw_curves, learning_curve, training_seconds
from nextchapter.store.events import Event, read_events


def event(kind: str, time: float, step: int = 0, loss: float | None = None) -> Event:
    metrics = {} if loss is None else {"metrics": {f"{kind}/loss_nats": loss}}
    return {"event": kind, "time": time, "step": step, "tokens": step * 10, **metrics}


def curves_of(study: Path) -> pd.DataFrame:
    folders = sorted((study / "runs").iterdir())
    parts = [
        learning_curve(
            list(read_events(folder / "events.jsonl")),
            folder.name,
            folder.name.split("-")[0],
            int(folder.name.rpartition(".s")[2]),
        )
        for folder in folders
    ]
    return pd.concat(parts, ignore_index=True)


def names_in(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_pause_before_a_resumption_is_no_training_time() -> None:
    kinds = [
        ("start", 100.0),
        ("train", 103.0),
        ("train", 107.0),
        ("resume", 5000.0),
        ("train", 5004.0),
        ("end", 5005.0),
    ]
    assert training_seconds([event(kind, time) for kind, time in kinds]) == [0.0, 3.0, 7.0, 7.0, 11.0, 12.0]


def test_a_clock_that_was_set_back_takes_no_time_away() -> None:
    assert training_seconds([event("start", 10.0), event("train", 8.0), event("train", 9.0)]) == [0.0, 0.0, 1.0]


def test_the_training_loss_is_smoothed_by_an_exponential_average_and_the_validation_loss_is_not() -> None:
    losses = [9.0 - (step % 7) for step in range(200)]
    events = [event("train", step, step, loss) for step, loss in enumerate(losses)]
    curve = learning_curve([*events, event("valid", 201, 200, 5.0)], "r.s1", "gru", 1)
    weight = 2 / (200 / 40 + 1)
    numerator = denominator = 0.0
    for loss in losses:
        numerator, denominator = numerator * (1 - weight) + loss, denominator * (1 - weight) + 1
    train, valid = curve[curve["split"] == "train"], curve[curve["split"] == "valid"]
    assert tuple(curve.columns) == COLUMNS
    assert train["smoothed_loss_nats"].iloc[-1] == pytest.approx(numerator / denominator)
    assert train["loss_nats"].tolist() == losses
    assert valid[["tokens", "loss_nats", "smoothed_loss_nats"]].to_numpy().tolist() == [[2000.0, 5.0, 5.0]]


def test_a_long_run_is_thinned_and_keeps_its_last_point() -> None:
    curve = learning_curve([event("train", step, step, 1.0 / (step + 1)) for step in range(9_999)], "r.s1", "gru", 1)
    assert POINTS_MAX / 2 < len(curve) <= POINTS_MAX
    assert curve["step"].iloc[-1] == 9_998


def test_few_runs_are_all_named(results_tree: Callable[..., Path], in_style: None) -> None:
    figure = draw_curves(curves_of(results_tree()))
    assert names_in(figure) == ["elman-384.s1", "gru-384.s1", "lstm-384.s1"]
    above, below = figure.axes
    assert above.get_xlabel() == "training text read (million tokens)"
    assert below.get_xlabel() == "training time (minutes)"
    assert above.get_ylabel() == below.get_ylabel() == "loss (nats a token)"


def test_a_resumed_run_is_drawn_without_its_pause(results_tree: Callable[..., Path]) -> None:
    straight, resumed = curves_of(results_tree("a")), curves_of(results_tree("b", resumed=["gru-384.s1"]))
    assert resumed["seconds"].max() == pytest.approx(straight["seconds"].max(), abs=3)


def test_runs_that_differ_in_the_seed_alone_share_a_line_and_a_name(
    results_tree: Callable[..., Path], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    losses = {"lstm-frozen": (4.2, 4.3, 4.25), "lstm-tuned": (4.0, 4.1, 4.2), "gru-64": (4.5,)}
    runs = {
        f"{name}.s{seed}": (name, loss, 2.0) for name, found in losses.items() for seed, loss in enumerate(found, 1)
    }
    curves = curves_of(results_tree("seeds", runs))
    figure = draw_curves(curves)
    assert names_in(figure) == ["gru-64.s1", "lstm-frozen", "lstm-tuned"]
    assert len({text.get_color() for text in figure.axes[0].texts}) == 3
    assert texts_outside(figure) == []
    valid = curves[(curves["split"] == "valid") & (curves["configuration"] == "lstm-tuned")]
    expected = valid.groupby("step")["loss_nats"].mean()
    thick = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert len(thick) == 3
    assert thick[2].get_ydata().tolist() == pytest.approx(expected.tolist())
    assert "mean over seeds" in figure._supxlabel.get_text()  # type: ignore[attr-defined]


def test_a_mean_ends_where_the_first_of_its_runs_does(in_style: None) -> None:
    parts = [
        learning_curve([event("valid", step, step, loss) for step in range(1, last + 1)], f"r.s{seed}", "gru", seed)
        for seed, (last, loss) in enumerate(((3, 5.0), (5, 4.0)), start=1)
    ]
    thin, long_thin, mean = draw_curves(pd.concat(parts)).axes[0].lines[:3]
    assert [len(line.get_xdata()) for line in (thin, long_thin, mean)] == [3, 5, 3]
    assert mean.get_ydata().tolist() == [4.5] * 3


def test_of_many_runs_the_best_of_each_family_and_others_are_named_and_no_two_names_touch(
    results_tree: Callable[..., Path], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    runs = {f"{kind}-{n}.s1": (kind, loss + n / 50, 2.0) for kind, loss in
            (("elman", 4.3), ("gru", 4.21), ("lstm", 4.2), ("hmm", 4.22)) for n in range(8)}  # fmt: skip
    figure = draw_curves(curves_of(results_tree("many", runs)))
    best = {"elman-0.s1", "gru-0.s1", "hmm-0.s1", "lstm-0.s1"}
    assert best | {"gru-1.s1", "lstm-1.s1", "hmm-1.s1", "lstm-2.s1"} == set(names_in(figure))
    assert texts_outside(figure) == []
    boxes = sorted((text.get_window_extent() for text in figure.axes[0].texts), key=lambda box: box.y0)
    assert all(lower.y1 < upper.y0 for lower, upper in pairwise(boxes))


@pytest.mark.parametrize(
    "events",
    [[], [event("start", 1.0)], [event("valid", 1.0, 5, 4.0)], [event("train", 1.0, 5, 4.0)]],
    ids=["nothing", "only a start", "one validation", "one training record"],
)
def test_a_run_with_next_to_nothing_is_drawn(
    events: Sequence[Any], in_style: None, texts_outside: Callable[[Figure], list[str]]
) -> None:
    curve = learning_curve(events, "r.s1", "ngram", 1)
    figure = draw_curves(pd.concat([curve], ignore_index=True))
    assert texts_outside(figure) == []
    assert ("No run has recorded a loss." in names_in(figure)) == curve.empty


def test_an_explosion_at_the_first_validation_does_not_flatten_the_figure(in_style: None) -> None:
    rows = [("train", step, 6.2 - 0.01 * step) for step in range(1, 100)] + [
        ("valid", 50, 112_143.0),
        ("valid", 99, 4.8),
    ]
    log = [
        {
            "event": split,
            "step": step,
            "tokens": 10 * step,
            "time": float(step),
            "metrics": {f"{split}/loss_nats": loss},
        }
        for split, step, loss in sorted(rows, key=lambda row: row[1])
    ]
    low, high = draw_curves(learning_curve(log, "irnn.s1", "elman", 1)).axes[0].get_ylim()
    assert low < 4.8
    assert 6.1 < high < 6.5


def test_a_relapse_does_not_flatten_the_figure(in_style: None) -> None:
    losses = [5.0, 9.0, 4.5, 4.0]
    curve = learning_curve(
        [event("valid", step, step, loss) for step, loss in enumerate(losses, 1)], "r.s1", "elman", 1
    )
    low, high = draw_curves(curve).axes[0].get_ylim()
    assert 3.8 < low < 4.0
    assert 5.0 < high < 5.2
