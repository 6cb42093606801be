"""What clipping is for: a ReLU network whose gradients explode, trained with clipped gradients and without.

The network is Elman's with f = ReLU and W_hh = `GAIN` I, after the identity start of Le, Jaitly and Hinton (2015). As
long as units stay positive a step multiplies the state, and the gradient on its way back, by the gain: over the steps
of one sequence by gain^time. Pascanu et al. (2013, algorithm 1) rescale a gradient whose norm exceeds a threshold.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from nextchapter.models.elman import Elman, ElmanSpec

GAIN = 1.1
HIDDEN, SEQUENCES, TIME = 32, 8, 48
"""Units of the network; sequences of a step, and tokens of each."""
LEARNING_RATE = 0.1
CLIP_NORM = 1.0


class TrainingCourse(NamedTuple):
    """A training, step by step; where it ends early, a loss or a gradient was no number any more."""

    loss_nats: list[float]
    """Loss of each step, in nats a token; the last may be infinite or NaN."""
    gradient_norm: list[float]
    """Norm of the gradient of each step before clipping, likewise."""

    @property
    def failed_at(self) -> int | None:
        """The step, from 1, whose loss or gradient was no number; None where there is none."""
        finite = math.isfinite(self.loss_nats[-1]) and math.isfinite(self.gradient_norm[-1])
        return None if finite else len(self.loss_nats)


def train_relu(
    tokens: np.ndarray, vocabulary_size: int, steps: int, seed: int, clip_norm: float | None
) -> TrainingCourse:
    """Train the network by plain gradient descent from h_0 = 0 at each step; stop at the first loss that is no number.

    Args:
        tokens: the training text; one shorter than a sequence is read over again.
        vocabulary_size: number of tokens.
        steps: at most.
        seed: of the weights and of the places that are read; equal seeds read equal texts.
        clip_norm: largest norm of a gradient; None leaves gradients as they are.
    """
    model = relu_network(vocabulary_size, seed)
    generator = np.random.default_rng(seed)
    text = np.resize(tokens, max(len(tokens), TIME + 1))
    course = TrainingCourse([], [])
    for _ in range(steps):
        batch = _draw(text, generator)
        nats, _ = model.score(batch[:, :-1], batch[:, 1:], model.initial_state(SEQUENCES))
        loss = nats.mean()
        model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(model.parameters(), math.inf if clip_norm is None else clip_norm)
        course.loss_nats.append(loss.item())
        course.gradient_norm.append(norm.item())
        if course.failed_at is not None:
            break
        with torch.no_grad():
            for weight in model.parameters():
                if weight.grad is not None:
                    weight.sub_(weight.grad, alpha=LEARNING_RATE)
    return course


def relu_network(vocabulary_size: int, seed: int) -> Elman:
    """Return the network as it is before the first step."""
    torch.manual_seed(seed)
    spec = ElmanSpec(hidden=HIDDEN, embedding=HIDDEN, activation="relu", recurrent_init="identity", dropout=0.0)
    model = Elman(vocabulary_size, spec)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("hidden_weight"):
                weight.mul_(GAIN)
    return model


def _draw(text: np.ndarray, generator: np.random.Generator) -> Int[Tensor, "batch time"]:
    starts = generator.integers(0, len(text) - TIME, SEQUENCES)
    return torch.from_numpy(text[starts[:, None] + np.arange(TIME + 1)].astype(np.int64))
