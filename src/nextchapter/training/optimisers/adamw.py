"""Adam with decoupled weight decay (Loshchilov and Hutter, 2019); of a sparse gradient, only the rows that it has.

A sampled softmax touches a part of the rows of a table of token vectors in a step. Moments and decay of all others stay
as they are until their next gradient (lazy Adam: `torch.optim.SparseAdam`), so that a step costs what it touches:

    m_r <- b1 m_r + (1 - b1) g_r,   v_r <- b2 v_r + (1 - b2) g_r^2
    w_r <- w_r - rate * (m_r / (1 - b1^t) / (sqrt(v_r / (1 - b2^t)) + e) + decay * w_r)
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.parameters import decayed_groups

BETAS = (0.9, 0.99)
"""The second moments are shorter than usual, for runs of some thousand steps."""


def build(model: nn.Module, spec: TrainingSpec) -> torch.optim.Optimizer:
    """Return AdamW over all parameters that are trained."""
    return AdamW(decayed_groups(model, spec), lr=spec.learning_rate, betas=BETAS, fused=True)


class AdamW(torch.optim.AdamW):
    """torch's AdamW for dense gradients, the lazy one for sparse ones."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all parameters that have a gradient."""
        del closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.grad.is_sparse:
                    self._move_rows(parameter, parameter.grad.coalesce(), self.state[parameter], group)
                    parameter.grad = None  # torch's own step passes it over
        super().step()

    @staticmethod
    def _move_rows(parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Move the rows that a gradient has."""
        if not state:
            state |= {"step": torch.zeros(()), "exp_avg": torch.zeros_like(parameter)}
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        step, (decay, square_decay) = float(state["step"]), group["betas"]
        rows, values = gradient.indices()[0], gradient.values()
        mean = state["exp_avg"].index_select(0, rows).lerp_(values, 1 - decay)
        square = state["exp_avg_sq"].index_select(0, rows).lerp_(values.square(), 1 - square_decay)
        state["exp_avg"].index_copy_(0, rows, mean)
        state["exp_avg_sq"].index_copy_(0, rows, square)
        scale = square.div_(1 - square_decay**step).sqrt_().add_(group["eps"])
        own = parameter.index_select(0, rows).mul_(1 - group["lr"] * group["weight_decay"])
        own.addcdiv_(mean, scale, value=-group["lr"] / (1 - decay**step))
        parameter.index_copy_(0, rows, own)
