"""A recurrent network as a graph in the format ONNX: one step, from a token and a state to ln p and the next state.

The exporter of torch needs onnx and onnxscript, which the extra `onnx` of this package names.
"""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from nextchapter.models.protocol import LanguageModel, State
from nextchapter.models.recurrent import RecurrentLanguageModel
from nextchapter.spec.base import canonical_json
from nextchapter.store.files import atomic_path

_EXAMPLE_BATCH = 2
"""Of the tensors by which torch follows a step; the axis is free in the graph."""


class Step(nn.Module):
    """A step of a network as a function of tensors: its state is a tuple of them."""

    def __init__(self, model: RecurrentLanguageModel) -> None:
        """Take a trained network."""
        super().__init__()
        self.model = model
        self.eval()

    def forward(self, token: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return ln p(next token) and the next state.

        Args:
            token: integers [batch].
            state: a tensor [batch hidden] for each of `state_names`.
        """
        tensors = iter(state)
        layers = tuple(tuple(next(tensors) for _ in layer) for layer in self.model.initial_state(1))
        log_probs, layers = self.model.step(token, layers)
        return log_probs, flatten_state(layers)


def flatten_state(state: State) -> tuple[Tensor, ...]:
    """Return the tensors of a recurrent network's state, layer by layer."""
    return tuple(tensor for layer in state for tensor in layer)


def state_names(model: RecurrentLanguageModel) -> list[str]:
    """Return the names of the state's tensors in the graph: `state_0_0` is h of the first layer."""
    state = model.initial_state(1)
    return [f"state_{layer}_{place}" for layer, tensors in enumerate(state) for place, _ in enumerate(tensors)]


def export_step(model: LanguageModel, path: Path, about: Mapping[str, object]) -> None:
    """Write a network's step to an ONNX file: `token`, `state_*` in; `log_probs`, `next_state_*` out; any batch.

    Args:
        model: a trained recurrent network.
        path: the file.
        about: is kept in the file as JSON, under the key `nextchapter`.

    Raises:
        ValueError: the model is no recurrent network, or the packages that torch needs for this are missing.
    """
    if not isinstance(model, RecurrentLanguageModel):
        found = type(model).__name__
        raise ValueError(f"found a model of the class {found}; only recurrent networks become ONNX files")  # noqa: TRY004
    names, state = state_names(model), flatten_state(model.initial_state(_EXAMPLE_BATCH))
    batch = {0: torch.export.Dim("batch")}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells that torchvision is not here
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of its own exporter
            program = torch.onnx.export(
                Step(model),
                (torch.zeros(_EXAMPLE_BATCH, dtype=torch.int64), state),
                input_names=["token", *names],
                output_names=["log_probs", *(f"next_{name}" for name in names)],
                dynamic_shapes={"token": batch, "state": tuple(batch for _ in names)},
                dynamo=True,
                verbose=False,
            )
    except ImportError as error:
        raise ValueError(f"{error}; the extra `onnx` brings what is needed: pip install -e '.[onnx]'") from error
    if program is None:
        raise ValueError("torch has returned no graph")
    program.model.metadata_props["nextchapter"] = canonical_json(about)
    for node in program.model.graph:
        node.metadata_props.clear()  # where in which file on this machine it comes from
    with atomic_path(path) as temporary:
        program.save(temporary)
