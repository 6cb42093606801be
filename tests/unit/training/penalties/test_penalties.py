"""The penalties, each against its equation written out."""

from typing import Any

import pytest
import torch
from torch import Tensor

from nextchapter.models.elman import ElmanCell
from nextchapter.models.protocol import HiddenLanguageModel
from nextchapter.models.registry import build_model
from nextchapter.models.scoring import evaluating
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.penalties.activation import ActivationPenalty
from nextchapter.training.penalties.omega import Omega, omega, slope

VOCABULARY = 20


def build(**keys: Any) -> HiddenLanguageModel:
    torch.manual_seed(4)
    model = build_model({"hidden": 7, "embedding": 5, "dropout": 0.0, **keys}, VOCABULARY).double().train()
    assert isinstance(model, HiddenLanguageModel)
    return model


def test_ar_is_of_the_outputs_after_dropout_and_tar_of_those_before() -> None:
    model = build(kind="lstm", layers=2, output_dropout=0.5)
    penalty = ActivationPenalty(
        model, TrainingSpec(activation_regularisation=2.0, temporal_activation_regularisation=3.0)
    )
    tokens, kept = torch.randint(0, VOCABULARY, (2, 6)), torch.ones(2, 6, dtype=torch.bool)
    kept[1, 4:] = False
    hidden, _ = model.read(tokens, model.initial_state(2))
    plain, _ = build(kind="lstm", layers=2).read(tokens, model.initial_state(2))
    expected = 0.0
    for row in range(2):
        for time in range(int(kept[row].sum())):
            expected += 2.0 * (hidden[row, time] ** 2).sum().item() / 7
            if time:
                expected += 3.0 * ((plain[row, time] - plain[row, time - 1]) ** 2).sum().item() / 7
    charged = penalty.charge(hidden, kept)
    assert isinstance(charged, Tensor)
    assert charged.item() == pytest.approx(expected)


def test_tar_of_a_step_of_one_token_is_0_whatever_was_validated_before() -> None:
    model = build(kind="gru")
    penalty = ActivationPenalty(model, TrainingSpec(temporal_activation_regularisation=3.0))
    tokens = torch.randint(0, VOCABULARY, (2, 6))
    with evaluating(model):
        model.read(tokens, model.initial_state(2))
    hidden, _ = model.read(tokens[:, :1], model.initial_state(2))
    charged = penalty.charge(hidden, torch.ones(2, 1, dtype=torch.bool))
    assert isinstance(charged, Tensor)
    assert charged.item() == 0.0


def test_a_model_without_recurrence_has_no_activation_penalty() -> None:
    model = build(kind="feed-forward", tied=False)
    penalty = ActivationPenalty(model, TrainingSpec(activation_regularisation=1.0))
    assert penalty.charge(torch.ones(1, 2, 7), torch.ones(1, 2)) == 0.0


def step(cell: ElmanCell, inputs: Tensor, hidden: Tensor) -> Tensor:
    activate = getattr(torch, cell.activation)
    result: Tensor = activate(inputs @ cell.input_weight.T + hidden @ cell.hidden_weight.T + cell.bias)
    return result


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_omega_is_equation_9_with_signals_and_jacobians_by_autograd(activation: str) -> None:
    """The vectors dE/dh_k and their products with dh_{k+1}/dh_k, each by autograd through a loop over the steps."""
    model = build(kind="elman", activation=activation)
    penalty = Omega(model, TrainingSpec(omega=0.7))
    cell = next(module for module in model.modules() if isinstance(module, ElmanCell))
    tokens, targets = torch.randint(0, VOCABULARY, (3, 6)), torch.randint(0, VOCABULARY, (3, 6))

    inputs = model.embedding(tokens)  # type: ignore[operator]
    states = [torch.zeros(3, 7, dtype=torch.float64)]
    for time in range(6):
        states.append(step(cell, inputs[:, time], states[-1]))
    loss = model.cross_entropy(torch.stack(states[1:], dim=1), targets).sum()
    signals = torch.autograd.grad(loss, states[1:], retain_graph=True)
    total = torch.zeros((), dtype=torch.float64)
    weight = cell.hidden_weight.detach().clone().requires_grad_()
    for time in range(1, 6):
        jacobian = slope(cell, states[time + 1].detach())[:, :, None] * weight  # diag(f') W_hh
        back = torch.einsum("bi,bij->bj", signals[time], jacobian)
        (by_autograd,) = torch.autograd.grad(states[time + 1], states[time], signals[time], retain_graph=True)
        torch.testing.assert_close(back.detach(), by_autograd)
        total = total + ((back.norm(dim=1) / signals[time].norm(dim=1) - 1) ** 2).sum() / (3 * 5)
    (expected,) = torch.autograd.grad(0.7 * total, weight)

    nats, _ = model.score(tokens, targets, model.initial_state(3))
    nats.sum().backward()  # type: ignore[no-untyped-call]
    ((parameter, gradient),) = penalty.gradients(1.0)
    assert parameter is cell.hidden_weight
    torch.testing.assert_close(gradient, expected)
    assert not list(penalty.gradients(1.0))  # each backward pass counts once


def test_a_rotation_has_no_penalty_and_a_vanishing_signal_has() -> None:
    rotation, signals = torch.linalg.qr(torch.randn(4, 4))[0], torch.randn(2, 3, 4)
    slopes = torch.ones(2, 3, 4)
    assert omega(signals, slopes, rotation).item() == pytest.approx(0, abs=1e-6)
    assert omega(signals, slopes, 0.5 * rotation).item() == pytest.approx(0.25, abs=1e-6)
    assert omega(torch.zeros(2, 3, 4), slopes, rotation).item() == 0


def test_other_models_and_evaluation_are_passed_over() -> None:
    for kind in ("gru", "elman"):
        model = build(kind=kind)
        penalty = Omega(model, TrainingSpec(omega=1.0))
        with torch.no_grad():
            model.score(
                torch.ones(1, 4, dtype=torch.int64), torch.ones(1, 4, dtype=torch.int64), model.initial_state(1)
            )
        assert not list(penalty.gradients(1.0))
