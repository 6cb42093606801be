from typing import Any

import numpy as np
import pytest
import torch

from nextchapter.diagnostics.neurons import SENTENCE_TOKENS, choose_units, first_sentence, principal_plane, read_units
from nextchapter.models.registry import build_model


def test_units_are_read_step_by_step() -> None:
    torch.manual_seed(1)
    model: Any = build_model({"kind": "gru", "hidden": 5, "embedding": 4}, 9).eval()
    units = read_units(model, np.array([3, 4, 5], dtype=np.uint16), end_of_chapter=1)
    state = model.initial_state(1)
    for token, expected in zip([1, 3, 4, 5], [None, *units], strict=True):
        with torch.no_grad():
            hidden, state = model.read(torch.tensor([[token]]), state)
        assert expected is None or np.allclose(hidden[0, 0], expected, atol=1e-6)


def test_a_slow_unit_holds_a_fast_one_swings_and_a_dead_one_is_not_shown() -> None:
    time = np.arange(400)
    slow, fast = np.sign(np.sin(time / 40)), np.where(time % 2, 1.0, -1.0) * (1 + 0.1 * (time % 3))
    noise = np.random.default_rng(0).normal(0, 0.01, 400)
    activations = np.stack([np.zeros(400), noise, fast, slow, np.full(400, 0.5)], axis=1)
    units = choose_units(activations, 2)
    assert units == ([3], [2])
    assert sorted(unit for group in choose_units(activations, 16) for unit in group) == [1, 2, 3]


def test_nothing_moves_in_a_text_of_one_token() -> None:
    assert choose_units(np.ones((1, 4)), 4) == ([], [])


def test_the_plane_is_that_of_the_covariance() -> None:
    states = np.random.default_rng(2).normal(size=(200, 6)) * [5, 3, 1, 1, 0.5, 0.1]
    plane = principal_plane(states)
    values, vectors = np.linalg.eigh(np.cov(states.T))
    for place in range(2):
        assert abs(plane.axes[place] @ vectors[:, -1 - place]) == pytest.approx(1)
        assert plane.shares[place] == pytest.approx(values[-1 - place] / values.sum())
        assert plane.axes[place][np.abs(plane.axes[place]).argmax()] > 0
    assert np.allclose(plane.project(states).mean(axis=0), 0)


@pytest.mark.parametrize(
    "states", [np.ones((5, 3)), np.arange(4.0)[:, None], np.ones((1, 1))], ids=["still", "one", "a"]
)
def test_states_that_vary_in_fewer_directions_have_a_plane_too(states: np.ndarray) -> None:
    plane = principal_plane(states)
    assert plane.project(states).shape == (len(states), 2)
    assert np.isfinite(plane.project(states)).all()
    assert plane.shares[1] == 0


def test_a_sentence_ends_where_its_mark_stands() -> None:
    words = [" one", " two", ".", " three", " four", " five", " six", "!”", " seven"]
    assert first_sentence(words) == 8  # the first would be too short to show a path
    assert first_sentence(["a"] * 100) == SENTENCE_TOKENS.stop - 1
    assert first_sentence(["a"] * 3) == 3
    assert first_sentence(["吾", "輩", "は", "猫", "で", "あ", "る", "。", "名"]) == 8
    assert first_sentence([" वह", " कल", " शाम", " को", " घर", " गया", " था", "।", " और"]) == 8
