"""What the cells share that run over time in Python, with a backward pass written by hand.

Autograd would keep a node and fresh memory for each operation of each step. Here a step does what depends on the step
before, in few passes over memory that is allocated once; all else is done for all steps together, before the loop or
after it. So the gradient of a weight is one product over all steps.
"""

import torch
from torch import Tensor

_COPIED_FROM_STEPS = 8


def right_factor(weight: Tensor, steps: int) -> Tensor:
    """Return W^T for products x W^T; where many steps follow, laid out anew, since they then take 0.6 of the time."""
    transposed = weight.transpose(-2, -1)
    return transposed.contiguous() if steps >= _COPIED_FROM_STEPS else transposed


def weight_gradient(d_products: Tensor, values: Tensor) -> Tensor:
    """Return dL/dW of the products x_t W^T of all steps as one product.

    Args:
        d_products: dL/d(x_t W^T), [time batch rows].
        values: x_t, [time batch columns].
    """
    return d_products.flatten(0, 1).T @ values.flatten(0, 1)


def times_complement(values: Tensor, gate: Tensor, out: Tensor | None = None) -> Tensor:
    """Return values * (1 - gate) in one pass: with values = a s, s = sigmoid(x), that is a ds/dx, and gate is s."""
    return torch.addcmul(values, values, gate, value=-1, out=out)
