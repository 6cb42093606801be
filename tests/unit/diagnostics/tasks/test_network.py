import pytest
import torch

from nextchapter.diagnostics.tasks.network import TaskNetwork
from nextchapter.diagnostics.tasks.task import load_task

KINDS = ["elman", "gru", "lstm", "mingru", "minlstm", "rlstm", "slstm", "mogrifier"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_is_answered_step_by_step_as_it_is_at_once(kind: str) -> None:
    torch.manual_seed(1)
    task = load_task("parity")
    network = TaskNetwork(task, {"kind": kind, "hidden": 6})
    inputs = task.draw(5, 3, torch.Generator().manual_seed(1)).inputs
    answers = network(inputs)
    assert answers.shape == (3, 5, 2)
    for row in range(3):
        for steps in range(1, 6):
            prefix = network(inputs[row : row + 1, :steps])
            torch.testing.assert_close(prefix[0, -1], answers[row, steps - 1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_each_weight_of_cell_and_answer_is_trained(kind: str) -> None:
    torch.manual_seed(1)
    task = load_task("temporal_order")
    network = TaskNetwork(task, {"kind": kind, "hidden": 6})
    sample = task.draw(10, 4, torch.Generator().manual_seed(1))
    task.loss(network(sample.inputs), sample).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())


def test_the_width_of_the_token_vectors_is_that_of_the_inputs() -> None:
    network = TaskNetwork(load_task("copying"), {"kind": "elman", "hidden": 6, "embedding": 99, "layers": 3})
    assert network.cell.input_weight.shape == (6, 10)
