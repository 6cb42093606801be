import importlib
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nextchapter.models.registry import build_model
from nextchapter.spec.training import TrainingSpec
from nextchapter.training.optimisers.muon import Muon, orthogonalise

LSTM = {"kind": "lstm", "hidden": 6, "embedding": 4}


def _build(kind: str, model: nn.Module, **settings: Any) -> torch.optim.Optimizer:
    module = importlib.import_module(f"nextchapter.training.optimisers.{kind}")
    optimiser: torch.optim.Optimizer = module.build(model, TrainingSpec(optimiser=kind, **settings))
    return optimiser


def _gradients(model: nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("kind", ["adamw", "sgd", "muon"])
def test_every_trained_parameter_is_in_one_group(kind: str) -> None:
    model = build_model(LSTM, 9)
    grouped = [id(p) for group in _build(kind, model).param_groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


def test_sgd_is_the_gradient_times_the_rate() -> None:
    model = nn.Linear(3, 2)
    before = model.weight.detach().clone()
    _gradients(model, 1)
    _build("sgd", model, learning_rate=0.5, weight_decay=0.0).step()
    assert torch.equal(model.weight, before - 0.5 * model.weight.grad)


@pytest.mark.parametrize("shape", [(3, 8, 8), (4, 5, 20), (2, 20, 5), (1, 1, 7)])
def test_the_iteration_brings_all_singular_values_near_one_and_keeps_the_vectors(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    found = orthogonalise(matrices)
    inner = left.transpose(1, 2) @ found @ right.transpose(1, 2)  # diagonal, if the singular vectors are the same
    singular = inner.diagonal(dim1=1, dim2=2)
    assert float((inner - torch.diag_embed(singular)).abs().max()) < 1e-9
    assert float(singular.min()) > 0.6
    assert float(singular.max()) < 1.3


def test_each_gate_is_made_orthogonal_apart() -> None:
    weight = nn.Parameter(torch.zeros(8, 4))
    generator = torch.Generator().manual_seed(5)
    gates = [torch.randn(4, 4, generator=generator), 1000 * torch.randn(4, 4, generator=generator)]
    weight.grad = torch.cat(gates)
    Muon([{"params": [weight], "blocks": 2, "weight_decay": 0.0}], lr=1.0, momentum=0.95).step()
    expected = torch.cat([orthogonalise(gate[None])[0] for gate in gates]) * 0.2 * 2
    assert torch.allclose(weight.detach(), -expected, atol=1e-5)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"kind": "elman"}, {"input_weight": 1, "hidden_weight": 1}),
        ({"kind": "gru"}, {"input_weight": 3, "hidden_weight": 3}),
        ({"kind": "lstm"}, {"input_weight": 4, "hidden_weight": 4}),
        ({"kind": "mingru"}, {"input_weight": 2}),
        ({"kind": "rlstm"}, {"input_weight": 2, "hidden_weight": 5}),
        ({"kind": "slstm", "heads": 2}, {"input_weight": 8, "hidden_weight": 8}),
        ({"kind": "mogrifier", "rounds": 2, "embedding": 32},
         {"input_weight": 4, "hidden_weight": 4, "rounds.0": 1, "rounds.1": 1}),
    ],
    ids=lambda value: value.get("kind", ""),
)  # fmt: skip
def test_a_cell_says_how_many_matrices_its_weights_hold(spec: dict[str, Any], expected: dict[str, int]) -> None:
    model = build_model({"hidden": 8, "embedding": 4, **spec}, 9)
    names = {id(parameter): name.removeprefix("cells.0.") for name, parameter in model.named_parameters()}
    groups = _build("muon", model).param_groups
    assert {names[id(p)]: group["blocks"] for group in groups for p in group["params"] if group["blocks"]} == expected


def test_momentum_is_nesterovs() -> None:
    weight = nn.Parameter(torch.zeros(3, 3))
    optimiser = Muon([{"params": [weight], "blocks": 1, "weight_decay": 0.0}], lr=0.1, momentum=0.9)
    gradients = [torch.randn(3, 3, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2, 3)]
    expected, average = torch.zeros(3, 3), torch.zeros(3, 3)
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimiser.step()
        average = 0.9 * average + gradient
        expected -= 0.1 * 0.2 * 3**0.5 * orthogonalise((gradient + 0.9 * average)[None])[0]
    assert torch.allclose(weight.detach(), expected, atol=1e-6)


def test_outside_the_recurrent_layers_muon_is_adamw() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(4, 3), nn.Linear(4, 3)
    theirs.load_state_dict(ours.state_dict())
    settings = {"learning_rate": 0.01, "weight_decay": 0.1}
    pair = [(ours, _build("muon", ours, **settings)), (theirs, _build("adamw", theirs, **settings))]
    for step in range(5):
        for model, optimiser in pair:
            _gradients(model, step)
            optimiser.step()
    for left, right in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(left, right, atol=1e-6)


def test_muon_finds_the_matrix_that_it_is_asked_for() -> None:
    torch.manual_seed(1)
    target, weight = torch.randn(2 * 5, 7), nn.Parameter(torch.zeros(2 * 5, 7))
    optimiser = Muon([{"params": [weight], "blocks": 2, "weight_decay": 0.0}], lr=0.1, momentum=0.9)

    def distance() -> Tensor:
        return (weight - target).square().mean()

    before = distance().item()
    for step in range(200):
        optimiser.param_groups[0]["lr"] = 0.2 * (1 - step / 200)
        optimiser.zero_grad()
        distance().backward()
        optimiser.step()
    assert distance().item() < 1e-3 * before


def _sparse(rows: list[int], values: Tensor, size: int) -> Tensor:
    return torch.sparse_coo_tensor(torch.tensor([rows]), values, (size, values.shape[1]), check_invariants=True)


def test_adamw_treats_a_sparse_gradient_of_all_rows_as_torch_does_the_dense_one() -> None:
    generator = torch.Generator().manual_seed(4)
    mine, theirs = (nn.Embedding(5, 3) for _ in range(2))
    theirs.load_state_dict(mine.state_dict())
    settings = {"learning_rate": 0.1, "weight_decay": 0.3}
    lazy, dense = _build("adamw", mine, **settings), _build("adamw", theirs, **settings)
    for _ in range(4):
        gradient = torch.randn(5, 3, generator=generator)
        order = torch.randperm(5, generator=generator)
        mine.weight.grad = _sparse(order.tolist(), gradient[order], 5)
        theirs.weight.grad = gradient
        lazy.step()
        dense.step()
    torch.testing.assert_close(mine.weight, theirs.weight)


def test_adamw_leaves_rows_without_a_gradient_alone_and_adds_up_a_row_that_stands_twice() -> None:
    once, twice = (nn.Embedding(5, 3) for _ in range(2))
    twice.load_state_dict(once.state_dict())
    before = once.weight.detach().clone()
    once.weight.grad = _sparse([2], torch.full((1, 3), 4.0), 5)
    twice.weight.grad = _sparse([2, 2], torch.tensor([[1.0] * 3, [3.0] * 3]), 5)
    for model in (once, twice):
        _build("adamw", model, weight_decay=0.5).step()
    assert torch.equal(once.weight, twice.weight)
    assert [index for index in range(5) if torch.equal(once.weight[index], before[index])] == [0, 1, 3, 4]
