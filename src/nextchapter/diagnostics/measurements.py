"""The account of one recurrent network in the gradient lab, and the cells that a study is compared with."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from nextchapter.diagnostics.clipping import CLIP_NORM, TrainingCourse
from nextchapter.diagnostics.gates import measure_saturation
from nextchapter.diagnostics.gradients import effective_memory, fit_decay, gradients_by_lag
from nextchapter.diagnostics.jacobians import LayerStep, layer_steps, measure_spectrum
from nextchapter.models.recurrent import RecurrentLanguageModel

REFERENCES: dict[str, dict[str, Any]] = {
    "Elman, tanh": {"kind": "elman", "activation": "tanh"},
    "Elman, ReLU": {"kind": "elman", "activation": "relu"},
    "Elman, sigmoid": {"kind": "elman", "activation": "sigmoid"},
    "GRU": {"kind": "gru"},
    "LSTM": {"kind": "lstm"},
}
"""The cells that every study is shown, at initialisation where it has no run of them."""
_SPECTRUM_POINTS = 33
_DIGITS = 6


def missing_cells(models: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return specifications of the reference cells that no run has, in the size of the first run.

    Args:
        models: the `model` part of each recurrent run's specification.
    """
    there = {(model["kind"], model.get("activation")) for model in models}
    first = models[0] if models else {}
    size: dict[str, Any] = {key: first[key] for key in ("hidden", "embedding", "layers", "tied") if key in first}
    return {
        name: {**size, **spec}
        for name, spec in REFERENCES.items()
        if (spec["kind"], spec.get("activation")) not in there
    }


def cell_name(model: dict[str, Any]) -> str:
    """Return kind and, where it has one, activation of a specification: `elman (tanh)`."""
    return f"{model['kind']} ({model['activation']})" if "activation" in model else str(model["kind"])


def measure_network(
    model: RecurrentLanguageModel, windows: Int[Tensor, "window time"], lags: int, jacobian_places: int
) -> dict[str, Any]:
    """Return what the gradient lab tells of a network as it is: gradients by lag, decay, memory, Jacobians, gates.

    Args:
        model: dropout switched off; it is brought to double precision.
        windows: as `cut_windows` cuts them.
        lags: largest lag.
        jacobian_places: windows at whose end step Jacobians are taken.
    """
    model = model.double()
    gradients = gradients_by_lag(model, windows, lags)
    norms = gradients.state.mean(dim=1)
    decay = fit_decay(norms)
    with torch.no_grad():
        _, before = model.read(windows[:, :-2], model.initial_state(len(windows)))
    steps = layer_steps(model, windows[:, -2], before)
    return {
        "norms": rounded(norms.tolist()),
        "hidden_norms": rounded(gradients.hidden.mean(dim=1).tolist()),
        "decay": None if decay is None else dict(zip(decay._fields, rounded(decay), strict=True)),
        "effective_memory": effective_memory(norms),
        "jacobian": list(_spectra(steps, jacobian_places)),
        "gates": {name: share._asdict() for name, share in measure_saturation(steps).items()},
    }


def _spectra(steps: Sequence[LayerStep], places: int) -> Iterator[dict[str, Any]]:
    """Yield the spectrum of each layer, means over places; of the singular values as many as a figure shows."""
    for layer, step in enumerate(steps, start=1):
        spectrum = measure_spectrum(step, places)
        if spectrum is not None:
            values = spectrum.singular_values.mean(dim=0)
            shown = torch.linspace(0, len(values) - 1, min(_SPECTRUM_POINTS, len(values))).round().long()
            largest, radius = rounded([float(values[0]), float(spectrum.radii.mean())])
            yield {
                "layer": layer,
                "numbers": len(values),
                "places": len(spectrum.radii),
                "largest_singular_value": largest,
                "spectral_radius": radius,
                "spectral_radii": rounded(spectrum.radii.tolist()),
                "singular_values": rounded(values[shown].tolist()),
            }


def describe_courses(plain: TrainingCourse, clipped: TrainingCourse, steps: int) -> dict[str, Any]:
    """Return the record of the ReLU network trained both ways; what is no number is null."""
    record: dict[str, Any] = {"steps": steps, "clip_norm": CLIP_NORM}
    for name, course in (("plain", plain), ("clipped", clipped)):
        record[name] = {
            "gradient_norm": rounded(course.gradient_norm),
            "loss_nats": rounded(course.loss_nats),
            "failed_at": course.failed_at,
        }
    return record


def rounded(values: Sequence[float]) -> list[float | None]:
    """Return values to six significant digits, null where one is no number: JSON has no sign for it."""
    return [float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values]
