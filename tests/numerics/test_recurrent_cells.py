"""The fused cells against loops written from the textbook's equations, in value and gradient, in float64."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from nextchapter.models.elman import ElmanCell
from nextchapter.models.gru import GruCell
from nextchapter.models.input_gated import InputGatedCell
from nextchapter.models.lstm import LstmCell
from nextchapter.models.mingru import MinGruCell
from nextchapter.models.minlstm import MinLstmCell
from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.models.registry import build_model

BATCH, TIME, INPUTS, HIDDEN = 3, 9, 5, 7
CLOSE = {"rtol": 1e-11, "atol": 1e-12}


def elman_step(cell: ElmanCell, x: Tensor, state: State) -> State:
    """h_t = f(W_hh h_{t-1} + W_xh x_t + b_h)."""
    activation: Callable[[Tensor], Tensor] = getattr(torch, cell.activation)
    return (activation(state[0] @ cell.hidden_weight.T + x @ cell.input_weight.T + cell.bias),)


def lstm_step(cell: LstmCell, x: Tensor, state: State) -> State:
    hidden, memory = state
    blocks = (x @ cell.input_weight.T + hidden @ cell.hidden_weight.T + cell.bias).split(cell.hidden, dim=1)
    i, f, o = (torch.sigmoid(blocks[place]) for place in (0, 1, 3))
    memory = f * memory + i * torch.tanh(blocks[2])
    return o * torch.tanh(memory), memory


def gru_step(cell: GruCell, x: Tensor, state: State) -> State:
    (hidden,), size = state, cell.hidden
    w_r, w_z, w_n = cell.input_weight.split(size)
    u_r, u_z, u_n = cell.hidden_weight.split(size)
    b_r, b_z, b_n = cell.bias.split(size)
    r = torch.sigmoid(x @ w_r.T + hidden @ u_r.T + b_r)
    z = torch.sigmoid(x @ w_z.T + hidden @ u_z.T + b_z)
    n = torch.tanh(x @ w_n.T + b_n + r * (hidden @ u_n.T + cell.candidate_bias))
    return ((1 - z) * n + z * hidden,)


def mingru_step(cell: MinGruCell, x: Tensor, state: State) -> State:
    w_z, w_h = cell.input_weight.split(cell.hidden)
    b_z, b_h = cell.bias.split(cell.hidden)
    z = torch.sigmoid(x @ w_z.T + b_z)
    return ((1 - z) * state[0] + z * (x @ w_h.T + b_h),)


def minlstm_step(cell: MinLstmCell, x: Tensor, state: State) -> State:
    w_f, w_i, w_h = cell.input_weight.split(cell.hidden)
    b_f, b_i, b_h = cell.bias.split(cell.hidden)
    f, i = torch.sigmoid(x @ w_f.T + b_f), torch.sigmoid(x @ w_i.T + b_i)
    return (f / (f + i) * state[0] + i / (f + i) * (x @ w_h.T + b_h),)


CELLS: dict[str, tuple[Callable[[], Cell], Callable[..., State]]] = {
    "tanh": (lambda: ElmanCell(INPUTS, HIDDEN, "tanh"), elman_step),
    "relu": (lambda: ElmanCell(INPUTS, HIDDEN, "relu"), elman_step),
    "sigmoid": (lambda: ElmanCell(INPUTS, HIDDEN, "sigmoid"), elman_step),
    "lstm": (lambda: LstmCell(INPUTS, HIDDEN, 1.0), lstm_step),
    "gru": (lambda: GruCell(INPUTS, HIDDEN), gru_step),
    "mingru": (lambda: MinGruCell(INPUTS, HIDDEN), mingru_step),
    "minlstm": (lambda: MinLstmCell(INPUTS, HIDDEN, 1.0), minlstm_step),
}


@pytest.mark.parametrize("name", list(CELLS))
def test_a_cell_equals_the_loop_over_its_equations_in_value_and_gradient(name: str) -> None:
    torch.manual_seed(0)
    make, step = CELLS[name]
    cell = make().double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.6)
    inputs = torch.randn(BATCH, TIME, INPUTS, dtype=torch.float64, requires_grad=True)
    start = tuple(torch.randn(BATCH, HIDDEN, dtype=torch.float64, requires_grad=True) for _ in range(cell.states))
    weights = torch.randn(BATCH, TIME, HIDDEN, dtype=torch.float64)

    fused, fused_last = cell(inputs, start)
    state, outputs = start, []
    for time in range(TIME):
        single, single_state = cell.step(inputs[:, time], state)
        state = step(cell, inputs[:, time], state)
        outputs.append(state[0])
        torch.testing.assert_close(single, state[0], **CLOSE)
        torch.testing.assert_close(single_state, state, **CLOSE)
    looped = torch.stack(outputs, dim=1)

    torch.testing.assert_close(fused, looped, **CLOSE)
    torch.testing.assert_close(fused_last, state, **CLOSE)
    sources = [inputs, *start, *cell.parameters()]
    loss = lambda values, last: (values * weights).sum() + sum((part**2).sum() for part in last)  # noqa: E731
    fused_gradients = torch.autograd.grad(loss(fused, fused_last), sources)
    looped_gradients = torch.autograd.grad(loss(looped, state), sources)
    for fused_gradient, looped_gradient in zip(fused_gradients, looped_gradients, strict=True):
        torch.testing.assert_close(fused_gradient, looped_gradient, **CLOSE)


MINIMAL: dict[str, Callable[[int, int], InputGatedCell]] = {
    "mingru": MinGruCell,
    "minlstm": lambda inputs, hidden: MinLstmCell(inputs, hidden, 1.0),
}


@pytest.mark.parametrize("time", [1, 2, 6])
@pytest.mark.parametrize("name", list(MINIMAL))
def test_the_gradient_written_by_hand_is_that_of_finite_differences(name: str, time: int) -> None:
    torch.manual_seed(2)
    cell = MINIMAL[name](INPUTS, HIDDEN)
    blocks = torch.randn(time, BATCH, cell.gates * HIDDEN, dtype=torch.float64, requires_grad=True)
    start = torch.randn(BATCH, HIDDEN, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cell.loop, (blocks, start))


@pytest.mark.parametrize("name", list(MINIMAL))
def test_single_precision_agrees_with_double(name: str) -> None:
    torch.manual_seed(3)
    cell = MINIMAL[name](64, 64)
    inputs, start = torch.randn(8, 200, 64), torch.randn(8, 64)
    gradients = []
    for dtype in (torch.float32, torch.float64):
        cell.to(dtype).zero_grad()
        outputs, _ = cell(inputs.to(dtype), (start.to(dtype),))
        outputs.square().mean().backward()
        assert cell.input_weight.grad is not None
        gradients.append((outputs.detach().double(), cell.input_weight.grad.double()))
    for single, double in zip(*gradients, strict=True):
        torch.testing.assert_close(single, double, rtol=1e-4, atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("name", list(CELLS))
def test_a_cell_gives_the_same_on_a_gpu(name: str) -> None:
    torch.manual_seed(4)
    cell = CELLS[name][0]().double()
    inputs = torch.randn(BATCH, TIME, INPUTS, dtype=torch.float64)
    found = []
    for device in ("cpu", "cuda"):
        cell.to(device).zero_grad()
        start = tuple(torch.ones(BATCH, HIDDEN, dtype=torch.float64, device=device) for _ in range(cell.states))
        outputs, _ = cell(inputs.to(device), start)
        single, _ = cell.step(inputs[:, 0].to(device), start)
        outputs.square().sum().backward()
        found.append([part.detach().cpu() for part in (outputs, single, *(p.grad for p in cell.parameters()))])
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("size", [1e2, 1e4, 1e30])
@pytest.mark.parametrize("name", list(MINIMAL))
def test_pre_activations_of_any_size_give_numbers(name: str, size: float) -> None:
    cell = MINIMAL[name](INPUTS, HIDDEN)
    signs = torch.tensor([-1.0, 0.0, 1.0])
    candidates = signs * min(size, 1e4)
    columns = torch.cartesian_prod(*[signs * size] * (cell.gates - 1), candidates).T
    blocks = columns.reshape(1, 1, -1).repeat(4, BATCH, 1).requires_grad_()
    outputs = cell.loop(blocks, torch.ones(BATCH, columns.shape[1]))
    outputs.mean().backward()
    assert blocks.grad is not None
    assert outputs.isfinite().all()
    assert blocks.grad.isfinite().all()
    share, candidate = cell.gate_and_candidate(blocks[0])
    torch.testing.assert_close(outputs[0], torch.lerp(torch.ones_like(share), candidate, share))


def test_gates_of_equal_logits_share_alike_however_small_they_are() -> None:
    blocks = torch.cat([torch.full((1, 1, 2), -1e3), torch.tensor([[[4.0]]])], dim=-1)  # f = i = e^-1000
    assert MinLstmCell(1, 1, 1.0).loop(blocks, torch.tensor([[2.0]])).item() == pytest.approx(3.0)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_network_is_embedding_cells_and_softmax(tied: bool, layers: int) -> None:
    torch.manual_seed(1)
    spec = {"kind": "elman", "hidden": 6, "embedding": 4, "layers": layers, "tied": tied, "dropout": 0.5}
    model = build_model(spec, 11).double().eval()
    assert isinstance(model, RecurrentLanguageModel)
    with torch.no_grad():
        model.output.bias.normal_()
    tokens = torch.tensor([[3, 1, 4, 1, 5]])
    hidden = [torch.zeros(1, 6).double() for _ in range(layers)]  # h_0 = 0
    expected = []
    for token in tokens[0]:
        x = model.embedding.weight[token][None]
        for layer, cell in enumerate(model.cells):
            hidden[layer] = x = elman_step(cell, x, (hidden[layer],))[0]
        projected = x @ model.projection.weight.T if tied else x
        y = torch.softmax(projected @ model.output.weight.T + model.output.bias, dim=-1)  # y_t = softmax(W_s h_t + b_s)
        expected.append(y.log())
    log_probs, last = model(tokens, model.initial_state(1))
    torch.testing.assert_close(log_probs, torch.stack(expected, dim=1), **CLOSE)
    torch.testing.assert_close(last, tuple((part,) for part in hidden), **CLOSE)
    assert (model.output.weight is model.embedding.weight) == tied


def test_dropout_acts_while_training_between_all_parts_and_only_then() -> None:
    model = build_model({"kind": "gru", "hidden": 6, "embedding": 6, "layers": 2, "dropout": 0.5}, 11)
    tokens = torch.tensor([[1, 2, 3]])
    calm = [model.eval()(tokens, model.initial_state(1))[0] for _ in range(2)]
    assert torch.equal(*calm)
    seeded = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        seeded.append(model.train()(tokens, model.initial_state(1))[0])
    assert torch.equal(seeded[0], seeded[1])
    assert not torch.equal(seeded[0], seeded[2])


def test_the_forget_gate_starts_open() -> None:
    cell = LstmCell(INPUTS, HIDDEN, forget_bias=1.5)
    assert cell.bias.tolist() == [0.0] * HIDDEN + [1.5] * HIDDEN + [0.0] * 2 * HIDDEN
