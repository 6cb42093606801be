"""From a specification to a model, and from a weights file back to the model that it holds.

A family is found by name: `kind: lstm` is `MODEL` of `nextchapter.models.lstm`, and its keys are those of `SPEC`.
Nothing lists the families here, so a new one changes no code that an existing run depends on.
"""

import importlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save

from nextchapter.models.protocol import CountedModel, LanguageModel
from nextchapter.spec.base import canonical_json
from nextchapter.store.files import atomic_path


def build_model(spec: dict[str, Any], vocabulary_size: int) -> LanguageModel:
    """Return a new model; its weights are drawn from torch's global generator.

    Args:
        spec: the `model` part of a run's specification; `kind` names the family.
        vocabulary_size: number of tokens.
    """
    family = importlib.import_module(f"nextchapter.models.{spec['kind'].replace('-', '_')}")
    model: LanguageModel = family.MODEL(vocabulary_size, family.SPEC.model_validate(spec))
    return model


def save_model(path: Path | str, model: LanguageModel, spec: dict[str, Any]) -> None:
    """Write weights and specification to a safetensors file, atomically; equal models give equal bytes."""
    # One entry: safetensors does not keep the order of several.
    about = canonical_json({"model": spec, "vocabulary_size": model.vocabulary_size})
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(weights_of(model), metadata={"nextchapter": about}))


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


def load_model(path: Path | str, device: torch.device | str = "cpu") -> LanguageModel:
    """Return the model of a file, ready to score.

    Raises:
        ValueError: the file holds no model of this project.
    """
    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
    if "nextchapter" not in metadata:
        raise ValueError(f"{path} holds no nextchapter model: its header has {sorted(metadata)}")
    about = json.loads(metadata["nextchapter"])
    model = build_model(about["model"], about["vocabulary_size"])
    weights = load_file(path)
    if isinstance(model, CountedModel):
        model.allocate({name: tensor.shape for name, tensor in weights.items()})
    set_weights(model, weights)
    return model.to(device).eval()
