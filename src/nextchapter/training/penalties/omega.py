"""The regulariser against vanishing gradients of Pascanu, Mikolov and Bengio (2013, arXiv 1211.5063, eqs. 9 and 10).

    Omega = sum over k of (|dE/dh_{k+1} dh_{k+1}/dh_k| / |dE/dh_{k+1}| - 1)^2,   dh_{k+1}/dh_k = diag(f') W_hh

The error signal is to keep its length on its way back. Here Omega is the mean over steps and sequences, for each layer
of a simple recurrent network. As in the paper only its immediate gradient is taken, by autograd: that by W_hh, with
dE/dh and h held fixed. dE/dh_k, all paths through later steps included, follows from the gradients that the backward
pass left at the layer's outputs:

    v_k = dL/dh_k directly + v_{k+1} diag(f'_{k+1}) W_hh

Cost: one product [batch hidden] x [hidden hidden] a step, in a loop, and three over all steps at once; about as much as
the recurrent part of a step once more.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nextchapter.models.elman import ElmanCell
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.objective import Penalty


class Omega(Penalty):
    """Omega of the Elman layers of a model; others have none."""

    def __init__(self, model: nn.Module, spec: TrainingSpec) -> None:
        """Keep what each Elman layer returns, and the gradient that reaches it."""
        self.weight = spec.omega
        self._passes: list[tuple[ElmanCell, Tensor]] = []
        for cell in model.modules():
            if isinstance(cell, ElmanCell):
                cell.register_forward_hook(self._keep)

    def gradients(self, share: float) -> Iterator[tuple[nn.Parameter, Tensor]]:
        """Yield `weight` times the immediate gradient of Omega by each W_hh."""
        for cell, outputs in self._passes:
            recurrence = cell.hidden_weight
            if outputs.grad is not None and recurrence.grad is not None:
                slopes = slope(cell, outputs.detach())
                signals = error_signals(outputs.grad, slopes, recurrence.detach())
                penalty = self.weight * share * omega(signals[:, 1:], slopes[:, 1:], recurrence)
                yield recurrence, torch.autograd.grad(penalty, recurrence)[0]
        self._passes.clear()

    def _keep(self, cell: nn.Module, inputs: object, outputs: tuple[Tensor, object]) -> None:
        del inputs
        if isinstance(cell, ElmanCell) and outputs[0].requires_grad and outputs[0].shape[1] > 1:
            outputs[0].retain_grad()
            self._passes.append((cell, outputs[0]))


def slope(cell: ElmanCell, hidden: Float[Tensor, "... hidden"]) -> Float[Tensor, "... hidden"]:
    """Return f' of the activation, from its value."""
    if cell.activation == "tanh":
        return 1 - hidden.square()
    return (hidden > 0).to(hidden) if cell.activation == "relu" else hidden * (1 - hidden)


def error_signals(
    direct: Float[Tensor, "batch time hidden"],
    slopes: Float[Tensor, "batch time hidden"],
    recurrence: Float[Tensor, "hidden hidden"],
) -> Float[Tensor, "batch time hidden"]:
    """Return dE/dh_k of each step, through all later ones; `direct` is that without them."""
    signals = direct.clone()
    for step in range(direct.shape[1] - 1, 0, -1):
        signals[:, step - 1] += (signals[:, step] * slopes[:, step]) @ recurrence
    return signals


def omega(
    signals: Float[Tensor, "batch time hidden"],
    slopes: Float[Tensor, "batch time hidden"],
    recurrence: Float[Tensor, "hidden hidden"],
) -> Float[Tensor, ""]:
    """Return the mean squared deviation from 1 of what a step back does to the length of the signal; 0 of no signal."""
    lengths = torch.linalg.vector_norm(signals, dim=-1)
    arriving = lengths > 0
    back = torch.linalg.vector_norm((signals[arriving] * slopes[arriving]) @ recurrence, dim=-1)
    deviations = back / lengths[arriving] - 1
    mean: Tensor = deviations.square().sum() / lengths.numel()
    return mean


PENALTY = Omega
