import math

import numpy as np
import pytest
import torch

from nextchapter.diagnostics.clipping import (
    CLIP_NORM,
    GAIN,
    HIDDEN,
    LEARNING_RATE,
    SEQUENCES,
    TIME,
    relu_network,
    train_relu,
)
from nextchapter.diagnostics.measurements import describe_courses

TEXT = np.random.default_rng(0).integers(0, 50, 3000).astype(np.uint16)


def test_without_clipping_the_network_fails_and_with_it_it_learns() -> None:
    plain, clipped = (train_relu(TEXT, 50, 60, 1, clip) for clip in (None, CLIP_NORM))
    assert plain.failed_at is not None
    assert not math.isfinite(plain.loss_nats[-1] + plain.gradient_norm[-1])
    assert clipped.failed_at is None
    assert len(clipped.loss_nats) == 60
    assert clipped.loss_nats[-1] < clipped.loss_nats[0]
    assert plain.gradient_norm[0] == clipped.gradient_norm[0] > CLIP_NORM  # measured before it is clipped
    record = describe_courses(plain, clipped, 60)
    assert record["plain"]["loss_nats"][-1] is None or record["plain"]["gradient_norm"][-1] is None


def test_two_steps_are_those_of_torchs_own_descent() -> None:
    course = train_relu(TEXT, 50, 3, 1, CLIP_NORM)
    model = relu_network(50, 1)
    descent, generator = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), np.random.default_rng(1)
    for expected in course.loss_nats:
        starts = generator.integers(0, len(TEXT) - TIME, SEQUENCES)
        batch = torch.from_numpy(np.stack([TEXT[start : start + TIME + 1] for start in starts]).astype(np.int64))
        log_probs, _ = model(batch[:, :-1], model.initial_state(SEQUENCES))
        loss = torch.nn.functional.nll_loss(log_probs.flatten(0, 1), batch[:, 1:].flatten())
        assert expected == pytest.approx(loss.item(), rel=1e-4)
        descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])
        for weight in model.parameters():
            if weight.grad is not None:
                weight.grad *= min(1.0, CLIP_NORM / float(gradients.norm()))
        descent.step()


def test_the_network_stretches_its_state() -> None:
    weights = dict(relu_network(9, 1).named_parameters())
    assert torch.allclose(weights["cells.0.hidden_weight"], GAIN * torch.eye(HIDDEN))


def test_a_text_shorter_than_a_sequence_is_read_over_again() -> None:
    assert len(train_relu(TEXT[:2], 50, 2, 1, CLIP_NORM).loss_nats) == 2


def test_one_word_teaches_nothing() -> None:
    course = train_relu(np.zeros(9, dtype=np.uint16), 1, 2, 1, None)
    assert course.loss_nats == [0, 0]
    assert course.gradient_norm == [0, 0]
    assert course.failed_at is None
