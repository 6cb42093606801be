from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.parameters import decayed_groups, trained_parameters


def test_matrices_are_decayed_and_vectors_are_not() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decayed, plain = decayed_groups(model, TrainingSpec(weight_decay=0.1))
    assert [tuple(parameter.shape) for parameter in decayed["params"]] == [(4, 3)]
    assert [tuple(parameter.shape) for parameter in plain["params"]] == [(4,), (4,), (4,)]
    assert (decayed["weight_decay"], plain["weight_decay"]) == (0.1, 0.0)


def test_what_takes_no_gradient_is_not_trained_and_what_is_shared_is_trained_once() -> None:
    model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    model[2].weight.requires_grad_(False)
    assert trained_parameters(model) == [model[0].weight]
