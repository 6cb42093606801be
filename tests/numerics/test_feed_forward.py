"""The feed-forward network against its equations, written out a token at a time, in value and gradient, in float64."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nextchapter.models.feed_forward import FeedForward, FeedForwardSpec

VOCABULARY = 11
CLOSE = {"rtol": 1e-11, "atol": 1e-12}


def by_hand(model: FeedForward, spec: FeedForwardSpec, tokens: list[int], targets: list[int]) -> Tensor:
    """- sum_t ln y_t[target], with y = softmax(b + W x + U tanh(d + H x)) of Bengio et al. (2003)."""
    total = torch.zeros((), dtype=torch.float64)
    vectors = [torch.zeros(spec.embedding, dtype=torch.float64)] * (spec.order - 2)
    for token, target in zip(tokens, targets, strict=True):
        vectors = [*vectors, model.embedding.weight[token]]
        x = torch.cat(vectors[-(spec.order - 1) :])
        hidden = torch.tanh(model.hidden.bias + model.hidden.weight @ x)
        if isinstance(model.projection, torch.nn.Linear):
            hidden = model.projection.weight @ hidden
        logits = model.output.bias + model.output.weight @ hidden
        if model.direct is not None:
            logits = logits + model.direct.weight @ x
        total = total - functional.log_softmax(logits, dim=0)[target]
    return total


@pytest.mark.parametrize("order", [2, 3, 6])
@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize(("tied", "hidden"), [(True, 4), (True, 7), (False, 7)])
def test_it_equals_its_equations_in_value_and_gradient(order: int, direct: bool, tied: bool, hidden: int) -> None:
    torch.manual_seed(0)
    spec = FeedForwardSpec(order=order, hidden=hidden, embedding=4, direct=direct, tied=tied, dropout=0)
    model = FeedForward(VOCABULARY, spec).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, dtype=torch.float64) / 2)
    tokens, targets = torch.randint(VOCABULARY, (2, 2, 9)).tolist()
    expected = torch.stack([by_hand(model, spec, *row) for row in zip(tokens, targets, strict=True)])
    nats, _ = model.score(torch.tensor(tokens), torch.tensor(targets), model.initial_state(2))
    torch.testing.assert_close(nats.sum(dim=1), expected, **CLOSE)
    parameters = list(model.parameters())
    wanted = torch.autograd.grad(expected.sum(), parameters)
    for found, correct in zip(torch.autograd.grad(nats.sum(), parameters), wanted, strict=True):
        torch.testing.assert_close(found, correct, **CLOSE)


def test_a_gradient_reaches_the_tokens_before_a_cut() -> None:
    torch.manual_seed(0)
    spec = FeedForwardSpec(order=4, hidden=7, embedding=4, tied=False, dropout=0)
    model = FeedForward(VOCABULARY, spec).double()
    tokens, targets = torch.tensor([[1, 2, 3, 4, 5, 6]]), torch.tensor([[2, 3, 4, 5, 6, 7]])
    whole, _ = model.score(tokens, targets, model.initial_state(1))
    head, state = model.score(tokens[:, :3], targets[:, :3], model.initial_state(1))
    tail, _ = model.score(tokens[:, 3:], targets[:, 3:], state)
    assert state.tolist() == [[2, 3]]
    weight = model.embedding.weight
    (uncut,) = torch.autograd.grad(whole[:, 3:].sum(), weight, retain_graph=True)
    (cut,) = torch.autograd.grad(tail.sum(), weight)
    torch.testing.assert_close(cut, uncut, **CLOSE)
    assert uncut[2].abs().sum() > 0
    assert head.shape == (1, 3)


def test_dropout_acts_while_training_only() -> None:
    torch.manual_seed(0)
    model = FeedForward(VOCABULARY, FeedForwardSpec(hidden=50, embedding=30, dropout=0.5))
    tokens, state = torch.tensor([[1, 2, 3]]), model.initial_state(1)
    once, again = (model.train()(tokens, state)[0] for _ in range(2))
    assert not torch.equal(once, again)
    calm, still = (model.eval()(tokens, state)[0] for _ in range(2))
    assert torch.equal(calm, still)
