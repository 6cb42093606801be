"""The dropouts of the recurrent networks, each against its equation written out with the mask that was drawn."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nextchapter.models.embedding_dropout import look_up
from nextchapter.models.locked_dropout import drop
from nextchapter.models.protocol import LanguageModel, map_state
from nextchapter.models.recurrent import Cell, RecurrentLanguageModel
from nextchapter.models.registry import build_model
from nextchapter.models.weight_dropout import run_with_dropped_weights

WITH_HIDDEN_MATRIX = ["elman", "gru", "lstm", "rlstm", "mogrifier", "slstm"]
VOCABULARY = 40


def build(kind: str, **keys: Any) -> RecurrentLanguageModel:
    torch.manual_seed(3)
    model = build_model({"kind": kind, "hidden": 12, "embedding": 6, "layers": 2, **keys}, VOCABULARY).train()
    assert isinstance(model, RecurrentLanguageModel)
    return model


def test_a_locked_mask_is_that_of_a_sequence_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropped = drop(torch.ones(50, 7, 40), 0.25, training=True, locked=True)
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert sorted(dropped.unique().tolist()) == pytest.approx([0, 4 / 3])
    assert dropped.mean().item() == pytest.approx(1, abs=0.03)
    assert not torch.equal(dropped[0], dropped[1])


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True)])
def test_nothing_is_dropped_in_evaluation_or_at_rate_zero(rate: float, training: bool) -> None:
    values, table = torch.randn(2, 3, 4), nn.Embedding(5, 4)
    before = torch.get_rng_state()
    assert torch.equal(drop(values, rate, training, locked=True), values)
    tokens = torch.tensor([[1, 2, 1]])
    assert torch.equal(look_up(table, tokens, rate, training), table(tokens))
    assert torch.equal(torch.get_rng_state(), before)


def test_embedding_dropout_is_the_look_up_in_a_table_with_rows_of_zeros() -> None:
    table, tokens = nn.Embedding(30, 5), torch.randint(0, 30, (4, 50))
    torch.manual_seed(1)
    found = look_up(table, tokens, 0.4, training=True)
    torch.manual_seed(1)
    mask = torch.empty(30).bernoulli_(0.6)
    assert 0 < mask.sum() < 30
    torch.testing.assert_close(found, (table.weight * mask[:, None] / 0.6)[tokens])


@pytest.mark.parametrize("kind", WITH_HIDDEN_MATRIX)
def test_a_cell_with_dropped_weights_is_one_that_has_those_weights(kind: str) -> None:
    cell, inputs = build(kind).cells[0], torch.randn(3, 9, 6)
    assert isinstance(cell, Cell)
    state = tuple(torch.rand(3, 12) for _ in range(cell.states))
    own = cell.hidden_weight.detach().clone()
    torch.manual_seed(7)
    outputs, last = run_with_dropped_weights(cell, 0.3, inputs, state)
    (gradient,) = torch.autograd.grad(outputs.sum(), cell.hidden_weight)
    assert torch.equal(cell.hidden_weight, own)
    torch.manual_seed(7)
    mask = nn.functional.dropout(torch.ones_like(own), 0.3)
    with torch.no_grad():
        cell.hidden_weight.mul_(mask)
    expected, expected_last = cell(inputs, state)
    torch.testing.assert_close((outputs, last), (expected, expected_last))
    (masked,) = torch.autograd.grad(expected.sum(), cell.hidden_weight)
    torch.testing.assert_close(gradient, masked * mask)


def unlike(model: LanguageModel, tokens: Tensor) -> bool:
    """Say whether two passes differ, as they do with masks."""
    first, second = (model(tokens, model.initial_state(len(tokens)))[0] for _ in range(2))
    return not torch.equal(first, second)


@pytest.mark.parametrize(
    "keys",
    [
        {"input_dropout": 0.5}, {"output_dropout": 0.5}, {"embedding_dropout": 0.5}, {"weight_dropout": 0.5},
        {"dropout": 0.5, "dropout_locked": True},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("kind", WITH_HIDDEN_MATRIX)
def test_each_key_makes_noise_in_training_and_none_in_evaluation(kind: str, keys: dict[str, Any]) -> None:
    model, tokens = build(kind, **{"dropout": 0.0, **keys}), torch.randint(0, VOCABULARY, (2, 5))
    plain = build(kind, dropout=0.0).eval()
    assert unlike(model, tokens)
    state = map_state(lambda tensor: tensor.clone(), plain.initial_state(2))
    assert torch.equal(model.eval()(tokens, state)[0], plain(tokens, state)[0])
    assert not unlike(plain.train(), tokens)


def test_the_places_of_dropout_have_the_rates_of_their_keys() -> None:
    model = build("mingru", dropout=0.0, input_dropout=0.0, output_dropout=0.5, dropout_locked=True)
    hidden, _ = model.read(torch.randint(0, VOCABULARY, (4, 8)), model.initial_state(4))
    zero = hidden == 0
    assert torch.equal(zero, zero[:, :1].expand_as(zero))
    assert 0.2 < zero.float().mean() < 0.8


def test_the_feed_forward_network_drops_whole_tokens_too() -> None:
    torch.manual_seed(0)
    model = build_model({"kind": "feed-forward", "dropout": 0.0, "embedding_dropout": 0.5}, VOCABULARY).train()
    tokens = torch.randint(0, VOCABULARY, (2, 9))
    assert unlike(model, tokens)
    assert not unlike(model.eval(), tokens)
