import importlib
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import nn

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.average import Average, lent_weights

KINDS = ["ema", "nt-asgd", "two-tailed"]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(1, 1, bias=False).double()


def _average(kind: str, model: nn.Module, **settings: Any) -> Average:
    module = importlib.import_module(f"nextchapter.training.averages.{kind.replace('-', '_')}")
    average: Average = module.AVERAGE(model, TrainingSpec(average=kind, **settings))
    return average


def _walk(average: Average, model: nn.Module, places: Sequence[float]) -> None:
    for place in places:
        nn.init.constant_(model.weight, place)
        average.update(model)


def _places(average: Average) -> list[float]:
    return [float(weights["weight"]) for weights in average.candidates()]


def test_ema_is_the_recursion(model: nn.Module) -> None:
    nn.init.constant_(model.weight, 4.0)
    average = _average("ema", model, ema_decay=0.5)
    expected = 4.0
    for step, place in enumerate([1.0, 2.0, 7.0, 0.5], start=1):
        _walk(average, model, [place])
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * place
        assert _places(average) == [pytest.approx(expected)]


def test_nt_asgd_averages_once_a_loss_is_above_that_of_some_validations_ago(model: nn.Module) -> None:
    average = _average("nt-asgd", model, average_patience=2)
    for place, loss in [(1.0, 3.0), (2.0, 2.0), (3.0, 2.5), (4.0, 2.6), (4.5, 2.1)]:
        _walk(average, model, [place])
        assert _places(average) == []
        average.judge(loss, [])
    _walk(average, model, [5.0])  # 2.1 is above 2.0, which stands more than two validations before it
    assert _places(average) == [5.0]
    average.judge(1.0, [1.0])
    _walk(average, model, [7.0, 9.0])
    assert _places(average) == [pytest.approx(7.0)]


def test_without_patience_nt_asgd_averages_after_the_first_worse_validation(model: nn.Module) -> None:
    average = _average("nt-asgd", model, average_patience=0)
    for loss in (2.0, 1.9, 1.95):
        _walk(average, model, [loss])
        average.judge(loss, [])
    _walk(average, model, [8.0])
    assert _places(average) == [8.0]


def test_two_tails_switch_when_the_short_one_is_as_good(model: nn.Module) -> None:
    average = _average("two-tailed", model)
    _walk(average, model, [8.0, 4.0])
    assert _places(average) == [6.0]
    average.judge(9.0, [5.0])
    _walk(average, model, [2.0])
    assert _places(average) == [pytest.approx(14 / 3), 2.0]
    average.judge(9.0, [5.0, 6.0])  # the long one is better: both go on
    _walk(average, model, [0.0])
    assert _places(average) == [pytest.approx(3.5), 1.0]
    average.judge(9.0, [5.0, 5.0])  # as good: the short one becomes the long one
    _walk(average, model, [4.0])
    assert _places(average) == [pytest.approx(2.0), 4.0]


def test_two_tails_begin_anew_where_the_weights_themselves_are_as_good(model: nn.Module) -> None:
    average = _average("two-tailed", model)
    _walk(average, model, [8.0, 4.0])
    average.judge(5.0, [5.0])
    _walk(average, model, [2.0])
    assert _places(average) == [2.0]


@pytest.mark.parametrize("kind", KINDS)
def test_an_average_goes_on_from_what_it_wrote(model: nn.Module, kind: str) -> None:
    losses = iter([3.0, 2.0, 2.5, 2.6, 2.2, 2.7])

    def live(average: Average, places: Sequence[float]) -> None:
        for place in places:
            _walk(average, model, [place])
            own = next(losses)
            average.judge(own, [own - 0.5 + 0.2 * rank for rank in range(len(average.candidates()))])

    first = _average(kind, model, average_patience=1)
    live(first, [1.0, 2.0, 3.0])
    second = _average(kind, model, average_patience=1)
    second.load_state_dict(first.state_dict())
    assert _places(second) == _places(first)
    rest = list(losses)
    losses = iter(rest + rest)
    live(first, [5.0, 7.0, 11.0])
    live(second, [5.0, 7.0, 11.0])
    assert _places(second) == _places(first)


def test_lent_weights_are_given_back_even_after_an_error(model: nn.Module) -> None:
    own = model.weight.detach().clone()
    with pytest.raises(RuntimeError, match=r"weight is 9\.0"), lent_weights(model, {"weight": torch.full((1, 1), 9.0)}):
        raise RuntimeError(f"weight is {model.weight.item()}")
    assert torch.equal(model.weight, own)
