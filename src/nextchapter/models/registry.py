"""From a specification to a model, and from a weights file back to the model that it holds.

A family is found by name: `kind: lstm` is `MODEL` of `nextchapter.models.lstm`, and its keys are those of `SPEC`.
Nothing lists the families here, so a new one changes no code that an existing run depends on.
"""

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save

from nextchapter.models.protocol import CountedModel, LanguageModel
from nextchapter.spec.base import canonical_json
from nextchapter.store.files import atomic_path


def build_model(
    spec: dict[str, Any], vocabulary_size: int, members: Sequence[LanguageModel] | None = None
) -> LanguageModel:
    """Return a new model; its weights are drawn from torch's global generator.

    Args:
        spec: the `model` part of a run's specification; `kind` names the family.
        vocabulary_size: number of tokens.
        members: the models of which it is made, if it is a `Wrapper`.
    """
    family = importlib.import_module(f"nextchapter.models.{spec['kind'].replace('-', '_')}")
    own = family.SPEC.model_validate(spec)
    model: LanguageModel = family.MODEL(vocabulary_size, own, *([] if members is None else [members]))
    return model


def save_model(
    path: Path | str, model: LanguageModel, spec: dict[str, Any], members: Sequence[dict[str, Any]] | None = None
) -> None:
    """Write weights and specification to a safetensors file, atomically; equal models give equal bytes.

    Args:
        path: where to.
        model: the model.
        spec: from which `build_model` built it.
        members: what `read_header` tells of the models of which it is made, if it is a `Wrapper`.
    """
    header = {"model": spec, "vocabulary_size": model.vocabulary_size}
    if members is not None:
        header["members"] = list(members)
    # One entry: safetensors does not keep the order of several.
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(weights_of(model), metadata={"nextchapter": canonical_json(header)}))


def weights_of(model: LanguageModel) -> dict[str, torch.Tensor]:
    """Return the model's parameters and buffers on the CPU, by name; a shared matrix stands there once."""
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: tensor.detach().cpu().contiguous() for name, tensor in named}


def set_weights(model: LanguageModel, weights: dict[str, torch.Tensor]) -> None:
    """Put weights into a model.

    Raises:
        ValueError: names or shapes differ from the model's.
    """
    own = dict([*model.named_parameters(), *model.named_buffers()])
    if own.keys() != weights.keys():
        raise ValueError(f"weights {sorted(weights)} do not fit a model with {sorted(own)}")
    with torch.no_grad():
        for name, tensor in own.items():
            if tensor.shape != weights[name].shape:
                raise ValueError(f"{name}: found shape {tuple(weights[name].shape)}; must be {tuple(tensor.shape)}")
            tensor.copy_(weights[name])


def read_header(path: Path | str) -> dict[str, Any]:
    """Return what a file says of its model: `model`, `vocabulary_size`, and `members`, of which each is such a header.

    Raises:
        ValueError: the file holds no model of this project.
    """
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
    if "nextchapter" not in metadata:
        raise ValueError(f"{path} holds no nextchapter model: its header has {sorted(metadata)}")
    header: dict[str, Any] = json.loads(metadata["nextchapter"])
    return header


def load_model(path: Path | str, device: torch.device | str = "cpu") -> LanguageModel:
    """Return the model of a file, ready to score.

    Raises:
        ValueError: the file holds no model of this project.
    """
    model, weights = _build(read_header(path)), load_file(path)
    for name, part in model.named_modules():
        if isinstance(part, CountedModel):
            prefix = f"{name}." if name else ""
            shapes = {key.removeprefix(prefix): weights[key].shape for key in weights if key.startswith(prefix)}
            part.allocate(shapes)
    set_weights(model, weights)
    return model.to(device).eval()


def _build(header: dict[str, Any]) -> LanguageModel:
    """Return the model that a header tells of, its members first."""
    members = [_build(member) for member in header["members"]] if "members" in header else None
    return build_model(header["model"], header["vocabulary_size"], members)
