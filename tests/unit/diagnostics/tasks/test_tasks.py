"""Each task's sequences are read again symbol by symbol, in plain Python, and answered anew."""

import math

import pytest
import torch
from torch import Tensor

from nextchapter.diagnostics.tasks.task import Sample, load_task
from nextchapter.spec.tasks import TASKS

MANY = 400


def _draw(name: str, length: int, seed: int = 3) -> Sample:
    return load_task(name).draw(length, MANY, torch.Generator().manual_seed(seed))


def _symbols(sample: Sample) -> list[list[int]]:
    """Return the symbols of one-hot sequences."""
    assert set(sample.inputs.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(sample.inputs.sum(dim=2), torch.ones(sample.inputs.shape[:2]))
    return sample.inputs.argmax(dim=2).tolist()


@pytest.mark.parametrize("name", TASKS)
def test_sequences_are_a_function_of_the_generator(name: str) -> None:
    first, again, other = _draw(name, 12), _draw(name, 12), _draw(name, 12, seed=4)
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)
    assert not torch.equal(first.inputs, other.inputs)
    task = load_task(name)
    assert first.inputs.shape[2] == task.inputs


@pytest.mark.parametrize("length", [2, 7, 20])
def test_adding_asks_for_the_sum_of_a_number_in_each_half(length: int) -> None:
    places = set()
    sample = _draw("adding", length)
    for steps, target in zip(sample.inputs.tolist(), sample.targets.tolist(), strict=True):
        marked = [(place, number) for place, (number, mark) in enumerate(steps) if mark == 1]
        (first, one), (second, other) = marked
        assert first < length // 2 <= second
        assert math.isclose(target, one + other, rel_tol=1e-6)
        assert all(0 <= number < 1 and mark in (0, 1) for number, mark in steps)
        places |= {first, second}
    assert places == set(range(length))


@pytest.mark.parametrize("gap", [2, 9])
def test_copying_asks_for_ten_symbols_after_the_sign(gap: int) -> None:
    sample = _draw("copying", gap)
    for read, said in zip(_symbols(sample), sample.targets.tolist(), strict=True):
        shown = read[:10]
        assert all(symbol < 8 for symbol in shown)
        assert read == shown + [8] * (gap - 1) + [9] + [8] * 10
        assert said == [8] * (gap + 10) + shown


@pytest.mark.parametrize(("length", "first", "second"), [(10, {1}, {4}), (50, {5, 6, 7, 8, 9}, {20, 21, 22, 23, 24})])
def test_temporal_order_asks_which_came_first(length: int, first: set[int], second: set[int]) -> None:
    sample = _draw("temporal_order", length)
    places, classes = (set(), set()), set()
    for read, (target,) in zip(_symbols(sample), sample.targets.tolist(), strict=True):
        asked = [(place, symbol) for place, symbol in enumerate(read) if symbol < 2]
        assert "".join("AB"[symbol] for _, symbol in asked) == ("AA", "AB", "BA", "BB")[target]
        for place, (found, _) in zip(places, asked, strict=True):
            place.add(found)
        classes.add(target)
    assert places == (first, second)
    assert classes == {0, 1, 2, 3}


def test_parity_asks_after_each_bit() -> None:
    sample = _draw("parity", 9)
    for bits, answers in zip(_symbols(sample), sample.targets.tolist(), strict=True):
        odd = False
        for bit, answer in zip(bits, answers, strict=True):
            odd ^= bit == 1
            assert answer == odd


def _blind(name: str, sample: Sample) -> Tensor:
    """Return the best outputs of a network that remembers nothing."""
    task = load_task(name)
    outputs = torch.zeros(*sample.inputs.shape[:2], task.outputs)
    if name == "adding":
        outputs += 1
    if name == "copying":
        outputs[:, :-10, 8] = 50
        outputs[:, -10:, 8] = -50
    return outputs


@pytest.mark.parametrize("name", TASKS)
def test_chance_is_what_a_network_without_memory_has(name: str) -> None:
    task = load_task(name)
    sample = task.draw(20, 20_000, torch.Generator().manual_seed(1))
    measured = task.measure(_blind(name, sample), sample).item()
    assert measured == pytest.approx(task.chance(20), rel=0.03)
    assert task.limit(20) <= 0.9 * task.chance(20)


@pytest.mark.parametrize("name", TASKS)
def test_right_answers_have_no_error(name: str) -> None:
    task, sample = load_task(name), _draw(name, 12)
    outputs = torch.zeros(*sample.inputs.shape[:2], task.outputs)
    if name == "adding":
        outputs[:, -1, 0] = sample.targets
    else:
        asked = sample.targets.shape[1]
        outputs[:, -asked:].scatter_(2, sample.targets[..., None], 50.0)
    assert task.measure(outputs, sample).item() == pytest.approx(0, abs=1e-6)
    assert task.loss(outputs, sample).item() == pytest.approx(0, abs=1e-6)


def test_the_limits_are_those_of_the_literature() -> None:
    assert load_task("temporal_order").limit(100) == 0.01
    assert load_task("copying").chance(100) == pytest.approx(10 * math.log(8) / 120)
    assert load_task("adding").chance(100) == pytest.approx(0.1667, abs=1e-4)
    assert [load_task(name).test_length(8) for name in TASKS] == [8, 8, 8, 16]
