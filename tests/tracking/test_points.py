import math

from hypothesis import given
from hypothesis import strategies as st

from nextchapter.tracking.points import PARAMETER_CHARACTERS, Point, parameters_of, points_of


def test_each_metric_becomes_a_point_at_its_own_time() -> None:
    events = [
        {"time": 1763800000.123, "event": "start", "step": 0},
        {"time": 1763800001.25, "event": "train", "step": 10, "metrics": {"train/loss_nats": 5, "x": 0.5}},
    ]
    assert points_of(events) == [
        Point("train/loss_nats", 5.0, 1763800001250, 10),
        Point("x", 0.5, 1763800001250, 10),
    ]


def test_a_point_stands_once_and_what_is_not_finite_not_at_all() -> None:
    event = {"time": 1.0, "event": "valid", "step": 1, "metrics": {"a": 1.0, "b": math.nan, "c": math.inf}}
    assert points_of([event, event]) == [Point("a", 1.0, 1000, 1)]


def test_parameters_are_flat_text() -> None:
    values = {"model": {"kind": "lstm", "tied": True}, "clip_norm": None, "seeds": [1, 2], "rate": 3e-3}
    assert parameters_of(values) == {
        "model.kind": "lstm",
        "model.tied": "true",
        "clip_norm": "null",
        "seeds": "[1,2]",
        "rate": "0.003",
    }


@given(st.text(min_size=1, max_size=20), st.integers(PARAMETER_CHARACTERS - 5, PARAMETER_CHARACTERS + 5))
def test_a_long_value_is_cut_to_what_mlflow_takes(text: str, length: int) -> None:
    value = (text * length)[:length]
    (found,) = parameters_of({"key": value}).values()
    assert len(found) <= PARAMETER_CHARACTERS
    assert (found == value) == (length <= PARAMETER_CHARACTERS)
