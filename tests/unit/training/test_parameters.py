import pytest
import torch
from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.parameters import clip_gradients, decayed_groups, trained_parameters


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


@pytest.mark.parametrize("largest", [0.5, 1000.0])
def test_sparse_gradients_are_clipped_with_the_dense_ones_by_one_norm(largest: float) -> None:
    tokens = torch.tensor([1, 4, 4, 0])
    models = []
    for sparse in (True, False):
        torch.manual_seed(3)
        model = nn.Sequential(nn.Embedding(6, 3, sparse=sparse), nn.Linear(3, 2), nn.Linear(2, 2))
        model[1](model[0](tokens)).square().sum().backward()  # the last layer has no gradient
        models.append(model)
    mine, dense = models
    norm = clip_gradients(mine, largest)
    assert norm == pytest.approx(nn.utils.clip_grad_norm_(dense.parameters(), largest).item())
    gradient = mine[0].weight.grad
    assert gradient is not None
    assert gradient.is_sparse
    torch.testing.assert_close(gradient.to_dense(), dense[0].weight.grad)
    torch.testing.assert_close(mine[1].weight.grad, dense[1].weight.grad)
