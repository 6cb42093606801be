"""Metrics and parameters in the shape that MLflow takes."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from nextchapter.spec.base import canonical_json
from nextchapter.store.events import Event

PARAMETER_CHARACTERS = 6000
"""MLflow's limit for the value of a parameter."""


class Point(NamedTuple):
    """One value of a metric; equal points are one point to MLflow as well."""

    key: str
    value: float
    time_ms: int
    """Unix time in milliseconds."""
    step: int


def points_of(events: Iterable[Event]) -> list[Point]:
    """Return the metrics of some events, each once and at its own time; what is not finite can't be drawn."""
    points = (
        Point(key, float(value), milliseconds(event["time"]), event["step"])
        for event in events
        for key, value in event.get("metrics", {}).items()
        if math.isfinite(value)
    )
    return list(dict.fromkeys(points))


def milliseconds(seconds: float) -> int:
    """Return Unix seconds as the whole milliseconds that MLflow counts in."""
    return round(seconds * 1000)


def parameters_of(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested values as flat parameters, `training.batch_size` for one, cut to MLflow's limit."""
    flat: dict[str, str] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(parameters_of(value, f"{name}."))
        else:
            text = value if isinstance(value, str) else canonical_json(value)
            flat[name] = text if len(text) <= PARAMETER_CHARACTERS else f"{text[: PARAMETER_CHARACTERS - 1]}…"
    return flat
