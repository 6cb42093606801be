"""DropConnect on the recurrent weights (Wan et al., 2013; Merity et al., 2018, arXiv 1708.02182, section 2).

    W'_hh = M * W_hh / (1 - p),  M ~ Bernoulli(1 - p), one mask a batch

The mask lies on the weights and not on h_t, so that the fused loops over time run as they are.
"""

from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from nextchapter.models.protocol import State


def run_with_dropped_weights(cell: nn.Module, rate: float, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Return what a cell makes of inputs [batch time input] with a share of its recurrent weights set to 0."""
    outputs: tuple[Tensor, State] = functional_call(
        cell, {"hidden_weight": functional.dropout(cell.get_parameter("hidden_weight"), rate)}, (inputs, state)
    )
    return outputs
