import math

import pytest
from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.optimiser import build_optimiser, learning_rate


def test_matrices_are_decayed_and_vectors_are_not() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decayed, plain = build_optimiser(model, TrainingSpec(weight_decay=0.1)).param_groups
    assert [tuple(parameter.shape) for parameter in decayed["params"]] == [(4, 3)]
    assert [tuple(parameter.shape) for parameter in plain["params"]] == [(4,), (4,), (4,)]
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)


def test_the_learning_rate_rises_to_its_peak_and_falls_by_a_cosine() -> None:
    spec = TrainingSpec(learning_rate=0.5, warmup_steps=10, final_learning_rate_share=0.2)
    rates = [learning_rate(step, 110, spec) for step in range(111)]
    assert rates[:10] == pytest.approx([0.05 * step for step in range(1, 11)])
    assert rates[10] == 0.5
    assert rates[60] == pytest.approx(0.5 * (0.2 + 0.8 * 0.5))
    assert rates[35] == pytest.approx(0.5 * (0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2))
    assert rates[110] == pytest.approx(0.1)


def test_a_warm_up_longer_than_the_run_is_cut_to_its_half() -> None:
    spec = TrainingSpec(learning_rate=1.0, warmup_steps=1000)
    assert learning_rate(4, 10, spec) == 1.0
