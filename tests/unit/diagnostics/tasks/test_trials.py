import dataclasses
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from nextchapter.diagnostics.tasks import trials
from nextchapter.diagnostics.tasks.task import Task, load_task
from nextchapter.diagnostics.tasks.trials import Recipe, Trainee, Trial, climb, run_trial
from nextchapter.spec.training import TrainingSpec


def _recipe(model: dict[str, Any], steps: int, hidden: int = 8, chrono: bool = False, **training: Any) -> Recipe:
    spec = TrainingSpec(weight_decay=0, **training)
    return Recipe({**model, "hidden": hidden}, spec, steps, batch_size=32, seed=1, chrono=chrono)


def test_an_lstm_bridges_a_gap_that_tanh_does_not() -> None:
    task = load_task("temporal_order")
    lstm = run_trial(task, 50, 0.01, _recipe({"kind": "lstm"}, 300, hidden=64, chrono=True))
    tanh = run_trial(task, 50, 0.01, _recipe({"kind": "elman"}, 300, hidden=64))
    assert lstm.passed
    assert lstm.error is not None
    assert lstm.error < 0.01
    assert not tanh.passed
    assert not tanh.diverged
    assert tanh.error is not None
    assert tanh.error > 0.4


def test_clipping_keeps_the_numbers_of_a_relu_network_finite() -> None:
    relu = {"kind": "elman", "activation": "relu", "recurrent_init": "identity"}
    free, clipped = (
        run_trial(load_task("adding"), 50, 0.01, _recipe(relu, 60, hidden=64, optimiser="sgd", clip_norm=norm))
        for norm in (None, 1.0)
    )
    assert free.diverged
    assert free.error is None
    assert not clipped.diverged
    assert clipped.error is not None
    assert clipped.clipped_share > 0.5


def test_a_trial_is_repeated_to_the_last_bit() -> None:
    recipe = _recipe({"kind": "gru"}, 60)
    first, again = (run_trial(load_task("adding"), 8, 0.01, recipe) for _ in range(2))
    assert first == again
    assert first != run_trial(load_task("adding"), 8, 0.01, dataclasses.replace(recipe, seed=2))


def test_a_network_climbs_until_no_rate_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    passing = {(10, 0.1), (20, 0.2), (40, 0.1)}

    def told(_: Task, length: int, rate: float, __: Recipe) -> Trial:
        return Trial(length, rate, 1, 0.0, (length, rate) in passing, False, 0.0)

    monkeypatch.setattr(trials, "run_trial", told)
    recipe = _recipe({"kind": "gru"}, 1)
    climbed = list(climb(load_task("adding"), [10, 20, 30, 40], [0.1, 0.2], recipe))
    tried = [(trial.length, trial.learning_rate) for trial in climbed]
    assert tried == [(10, 0.1), (20, 0.1), (20, 0.2), (30, 0.1), (30, 0.2)]
    assert len(list(climb(load_task("adding"), [10], [0.1, 0.2], recipe))) == 1


def _one_step(clip_norm: float | None, omega: float = 0.0) -> tuple[float, Tensor, Tensor]:
    """Return the norm of the first step's gradient, and what SGD at rate 1 changes in W_hh and elsewhere."""
    task = load_task("temporal_order")
    recipe = _recipe({"kind": "elman"}, 1, optimiser="sgd", clip_norm=clip_norm, omega=omega)
    trainee = Trainee(task, 10, 1.0, recipe)
    before = [parameter.detach().clone() for parameter in trainee.network.parameters()]
    norm = trainee.learn(task.draw(10, 4, torch.Generator().manual_seed(1)))
    changes = [old - new.detach() for old, new in zip(before, trainee.network.parameters(), strict=True)]
    (recurrent,) = (place for place, (name, _) in enumerate(trainee.network.named_parameters()) if "hidden_w" in name)
    return norm, changes.pop(recurrent), torch.cat([change.flatten() for change in changes])


def test_a_gradient_is_clipped_to_the_norm() -> None:
    norm, recurrent, others = _one_step(None)
    assert math.hypot(recurrent.norm(), others.norm()) == pytest.approx(norm, rel=1e-4)
    clipped_norm, recurrent, others = _one_step(norm / 4)
    assert clipped_norm == pytest.approx(norm)
    assert math.hypot(recurrent.norm(), others.norm()) == pytest.approx(norm / 4, rel=1e-4)


def test_omega_adds_to_the_gradient_of_the_recurrent_matrix_alone() -> None:
    _, recurrent, others = _one_step(None)
    _, with_omega, same = _one_step(None, omega=2.0)
    assert torch.equal(others, same)
    assert (recurrent - with_omega).norm() > 1e-3


def test_chrono_draws_the_biases_for_the_length() -> None:
    for length in (2, 500):
        trainee = Trainee(load_task("adding"), length, 0.01, _recipe({"kind": "lstm"}, 1, hidden=200, chrono=True))
        take, forget = trainee.network.cell.bias.detach().chunk(4)[:2]
        assert torch.equal(take, -forget)
        assert math.log(max(length, 3) - 1) * 0.9 <= forget.max() <= math.log(max(length, 3) - 1)
