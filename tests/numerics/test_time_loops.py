"""The cells with a backward pass by hand, against loops written from the papers' equations, in float64."""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nextchapter.models.lstm import LstmCell
from nextchapter.models.mogrifier import MogrifierCell
from nextchapter.models.protocol import State
from nextchapter.models.recurrent import Cell
from nextchapter.models.registry import build_model
from nextchapter.models.rlstm import RlstmCell
from nextchapter.models.slstm import SlstmCell

BATCH, TIME, INPUTS, HIDDEN = 3, 9, 5, 8
CLOSE = {"rtol": 1e-11, "atol": 1e-11}


def lstm_step(cell: Cell, x: Tensor, state: State, cap: bool = False) -> State:
    hidden, memory = state
    i, f, g, o = (x @ cell.input_weight.T + hidden @ cell.hidden_weight.T + cell.bias).chunk(4, dim=1)
    i, f = torch.sigmoid(i), torch.sigmoid(f)
    memory = f * memory + (torch.minimum(i, 1 - f) if cap else i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(memory), memory


def mogrifier_step(cell: MogrifierCell, x: Tensor, state: State) -> State:
    hidden, memory = state
    matrices = list(cell.rounds)
    if cell.matrices_per_round == 2:
        matrices = [left @ right for right, left in zip(matrices[::2], matrices[1::2], strict=True)]
    for r, matrix in enumerate(matrices, start=1):
        if r % 2 == 1:
            x = 2 * torch.sigmoid(hidden @ matrix.T) * x
        else:
            hidden = 2 * torch.sigmoid(x @ matrix.T) * hidden
    return lstm_step(cell, x, (hidden, memory), cell.cap_input_gate)


def rlstm_step(cell: RlstmCell, x: Tensor, state: State) -> State:
    hidden, memory = state
    w_ix, w_jx = cell.input_weight.chunk(2)
    w_ih, w_jh, w_fh, w_fu, w_oc = cell.hidden_weight.chunk(5)
    b_i, b_j, b_f, b_o = cell.bias.chunk(4)
    i = torch.sigmoid(x @ w_ix.T + hidden @ w_ih.T + b_i)
    j = torch.tanh(x @ w_jx.T + hidden @ w_jh.T + b_j)
    f = torch.sigmoid((i * j) @ w_fu.T + hidden @ w_fh.T + b_f)
    memory = f * memory + torch.minimum(i, 1 - f) * j
    return torch.sigmoid(memory @ w_oc.T + b_o) * torch.tanh(memory), memory


def slstm_gates(cell: SlstmCell, x: Tensor, hidden: Tensor) -> list[Tensor]:
    """Return what stands inside i, f, z and o; a unit hears from its own head only."""
    units = cell.hidden // cell.heads
    own = torch.block_diag(*cell.hidden_weight.view(cell.heads, 4 * units, units))
    rows = x @ cell.input_weight.T + hidden @ own.T + cell.bias
    return [gate.reshape(len(x), -1) for gate in rows.view(len(x), cell.heads, 4, units).unbind(2)]


def slstm_step(cell: SlstmCell, x: Tensor, state: State) -> State:
    hidden, c, n, m = state
    log_i, log_f, z, o = slstm_gates(cell, x, hidden)
    log_f = functional.logsigmoid(log_f) if cell.forget_gate == "sigmoid" else log_f
    new_m = torch.maximum(log_f + m, log_i)
    i, f = torch.exp(log_i - new_m), torch.exp(log_f + m - new_m)
    c, n = f * c + i * torch.tanh(z), f * n + i
    return torch.sigmoid(o) * c / n, c, n, new_m


CELLS: dict[str, tuple[Callable[[], Cell], Callable[..., State]]] = {
    "rlstm": (lambda: RlstmCell(INPUTS, HIDDEN, 1.0), rlstm_step),
    **{
        f"mogrifier-{rounds}-{rank}": (
            lambda rounds=rounds, rank=rank: MogrifierCell(INPUTS, HIDDEN, rounds, rank, 1.0),
            mogrifier_step,
        )
        for rounds, rank in [(0, "full"), (1, "full"), (2, 3), (5, "full"), (5, 3)]
    },
    "mogrifier-uncapped": (lambda: MogrifierCell(INPUTS, HIDDEN, 5, "full", 1.0, False), mogrifier_step),
    **{
        f"slstm-{heads}-{gate}": (
            lambda heads=heads, gate=gate: SlstmCell(INPUTS, HIDDEN, heads, gate, 1.0),
            slstm_step,
        )
        for heads, gate in itertools.product((1, 4), ("sigmoid", "exp"))
    },
}  # type: ignore[misc]


def drawn(name: str, hidden_scale: float = 0.6) -> tuple[Cell, Tensor, tuple[Tensor, ...]]:
    """Return a cell with random weights, an input, and a state in the middle of a text."""
    torch.manual_seed(0)
    cell = CELLS[name][0]().double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.copy_(torch.randn_like(parameter) * hidden_scale)
    inputs = torch.randn(BATCH, TIME, INPUTS, dtype=torch.float64, requires_grad=True)
    state = [torch.randn(BATCH, HIDDEN, dtype=torch.float64) for _ in range(cell.states)]
    if isinstance(cell, SlstmCell):
        state[2] = 1 + state[2].abs()
    return cell, inputs, tuple(part.requires_grad_() for part in state)


def looped(name: str, cell: Cell, inputs: Tensor, state: State) -> tuple[Tensor, State]:
    """Run the step of the equations by itself."""
    outputs = []
    for time in range(inputs.shape[1]):
        state = CELLS[name][1](cell, inputs[:, time], state)
        outputs.append(state[0])
    return torch.stack(outputs, dim=1), state


@pytest.mark.parametrize("name", list(CELLS))
@pytest.mark.parametrize("ends", [False, True])
def test_a_cell_equals_the_loop_over_its_equations_in_value_and_gradient(name: str, ends: bool) -> None:
    cell, inputs, state = drawn(name)
    fast, slow = cell(inputs, state), looped(name, cell, inputs, state)
    torch.testing.assert_close(fast, slow, **CLOSE)

    weights = torch.randn(BATCH, TIME, HIDDEN, dtype=torch.float64)
    sources = [inputs, *state, *cell.parameters()]

    def gradients(outputs: Tensor, last: State) -> tuple[Tensor, ...]:
        loss = (outputs * weights).sum()
        if ends:  # a gradient that comes in through the last state
            loss = loss + sum((place * part**2).sum() for place, part in enumerate(last, start=1))
        return torch.autograd.grad(loss, sources)

    torch.testing.assert_close(gradients(*fast), gradients(*slow), **CLOSE)


@pytest.mark.parametrize(
    "cell",
    [
        RlstmCell(2, 4, 1.0),
        MogrifierCell(2, 4, 3, 1, 1.0),
        SlstmCell(2, 4, 2, "sigmoid", 1.0),
        SlstmCell(2, 4, 1, "exp", 1.0),
    ],
    ids=lambda cell: type(cell).__name__,
)
def test_the_gradients_are_the_slopes_of_the_values(cell: Cell) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    start = tuple(torch.rand(2, 4, dtype=torch.float64) + 0.5 for _ in range(cell.states))
    weights = {name: torch.randn_like(weight, dtype=torch.float64) for name, weight in cell.named_parameters()}
    sources = (inputs, *start, *weights.values())

    def run(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        own = dict(zip(weights, rest[cell.states :], strict=True))
        outputs, last = torch.func.functional_call(cell, own, (x, rest[: cell.states]))
        return outputs, *last

    assert torch.autograd.gradcheck(run, tuple(source.detach().requires_grad_() for source in sources), fast_mode=True)


def test_a_mogrifier_without_rounds_is_the_lstm() -> None:
    torch.manual_seed(1)
    cell, lstm = MogrifierCell(INPUTS, HIDDEN, 0, "full", 1.0, False).double(), LstmCell(INPUTS, HIDDEN, 1.0).double()
    lstm.load_state_dict(cell.state_dict())
    inputs = torch.randn(BATCH, TIME, INPUTS, dtype=torch.float64)
    state = (torch.randn(BATCH, HIDDEN).double(), torch.randn(BATCH, HIDDEN).double())
    torch.testing.assert_close(cell(inputs, state), lstm(inputs, state), **CLOSE)
    specs = (
        {"kind": "mogrifier", "rounds": 0, "cap_input_gate": False, "hidden": 8, "embedding": 8},
        {"kind": "lstm", "hidden": 8, "embedding": 8},
    )
    models = []
    for spec in specs:
        torch.manual_seed(2)
        models.append(build_model(spec, 11).eval())
    tokens = torch.tensor([[3, 1, 4, 1, 5]])
    torch.testing.assert_close(*(model(tokens, model.initial_state(1)) for model in models))


@pytest.mark.parametrize("rank", ["full", 32])
def test_the_gates_of_a_new_mogrifier_are_near_one(rank: int) -> None:
    torch.manual_seed(3)
    cell = MogrifierCell(64, 64, 5, rank, 1.0)
    x, h = torch.randn(100, 64) / 8, torch.tanh(torch.randn(100, 64))
    product = h @ cell.rounds[0].T if rank == "full" else h @ cell.rounds[0].T @ cell.rounds[1].T
    gates = 2 * torch.sigmoid(product)
    assert abs(gates.mean() - 1) < 0.02
    assert gates.std() < 0.25
    lstm = MogrifierCell(64, 64, 0, rank, 1.0)
    lstm.load_state_dict({name: weight for name, weight in cell.state_dict().items() if "rounds" not in name})
    outputs = [one(x[:, None], (h, h))[0] for one in (cell, lstm)]
    assert (outputs[0] - outputs[1]).abs().max() < 0.05
    with torch.no_grad():
        for matrix in cell.rounds:
            matrix.mul_(100)
    assert (cell(x[:, None], (h, h))[0] - outputs[1]).abs().max() > 0.3


def test_the_memory_of_an_rlstm_stays_within_one_where_that_of_an_lstm_does_not() -> None:
    inputs, start = torch.ones(1, 50, 4), (torch.zeros(1, 6), torch.zeros(1, 6))
    memories = []
    for cell in (RlstmCell(4, 6, 1.0), LstmCell(4, 6, 1.0)):
        with torch.no_grad():
            cell.input_weight.fill_(2.0)
            cell.hidden_weight.zero_()
            cell.bias.fill_(3.0)
        memories.append(cell(inputs, start)[1][1].max().item())
    assert memories[0] <= 1 + 1e-6
    assert memories[1] > 10


def start_of_text(batch: int, dtype: torch.dtype = torch.float64) -> State:
    zero = torch.zeros(batch, HIDDEN, dtype=dtype)
    return zero, zero, zero, torch.full_like(zero, -torch.inf)


@pytest.mark.parametrize("gate", ["sigmoid", "exp"])
def test_the_stabiliser_changes_nothing(gate: str) -> None:
    name = f"slstm-4-{gate}"
    cell, inputs, (h, c, n, m) = drawn(name)
    outputs, last = cell(inputs, (h, c, n, m))
    shift = torch.randn(BATCH, HIDDEN, dtype=torch.float64) * 20
    shifted, shifted_last = cell(inputs, (h, c * torch.exp(-shift), n * torch.exp(-shift), m + shift))
    torch.testing.assert_close(shifted, outputs, rtol=1e-9, atol=1e-10)
    for place in (1, 2):  # c_T e^m_T and n_T e^m_T are what they were
        torch.testing.assert_close(
            shifted_last[place] * torch.exp(shifted_last[3]), last[place] * torch.exp(last[3]), rtol=1e-9, atol=1e-10
        )


@pytest.mark.parametrize("gate", ["sigmoid", "exp"])
def test_the_stabilised_sums_are_those_of_the_plain_equations(gate: str) -> None:
    cell, inputs, _ = drawn(f"slstm-1-{gate}", hidden_scale=0.2)
    assert isinstance(cell, SlstmCell)
    outputs, _ = cell(inputs, start_of_text(BATCH))
    h = c = n = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
    for time in range(TIME):  # equations 8 to 14, without a stabiliser
        i, f, z, o = slstm_gates(cell, inputs[:, time], h)
        i, f = torch.exp(i), torch.sigmoid(f) if gate == "sigmoid" else torch.exp(f)
        c, n = f * c + i * torch.tanh(z), f * n + i
        h = torch.sigmoid(o) * c / n
        torch.testing.assert_close(outputs[:, time], h, **CLOSE)


@pytest.mark.parametrize("gate", ["sigmoid", "exp"])
@pytest.mark.parametrize("size", [1e2, 1e5])
def test_huge_preactivations_give_finite_values_and_gradients(gate: str, size: float) -> None:
    cell, inputs, _ = drawn(f"slstm-1-{gate}")
    cell, huge = cell.float(), (inputs.detach().float() * size).requires_grad_()
    outputs, (_, c, n, _) = cell(huge, start_of_text(BATCH, torch.float32))
    assert outputs.abs().max() <= 1 + 1e-6
    assert n.min() >= 1 - 1e-6
    assert (c.abs() <= n * (1 + 1e-6)).all()
    outputs.sum().backward()
    for source in (huge, *cell.parameters()):
        assert source.grad is not None
        assert source.grad.isfinite().all()


def test_a_head_hears_nothing_of_another() -> None:
    cell, inputs, (h, *rest) = drawn("slstm-4-sigmoid")
    (gradient,) = torch.autograd.grad(cell(inputs[:, :1], (h, *rest))[0][:, 0, :2].sum(), h)
    assert gradient[:, :2].abs().min() > 0
    assert gradient[:, 2:].abs().max() == 0
