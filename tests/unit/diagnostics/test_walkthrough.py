"""The page is what the program writes, and its gradients are right: by autograd, and by moving each number a little."""

import re
from pathlib import Path

import pytest
import torch

from nextchapter.diagnostics.walkthrough import (
    PAGE,
    READ,
    gradients_by_autograd,
    gradients_by_hand,
    page_text,
    starting_point,
    step_forward,
)

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_program_writes() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page_text(), (
        "run: python -m nextchapter.diagnostics.walkthrough"
    )


def test_gradients_by_hand_are_those_of_autograd() -> None:
    start = starting_point()
    by_hand, by_autograd = gradients_by_hand(start, step_forward(start)), gradients_by_autograd(start)
    assert by_hand.keys() == by_autograd.keys()
    for name, gradient in by_hand.items():
        assert torch.allclose(gradient, by_autograd[name], rtol=0, atol=1e-14), name


@pytest.mark.parametrize("name", sorted(starting_point()))
def test_gradients_by_hand_are_slopes_of_the_loss(name: str) -> None:
    start = starting_point()
    gradient = gradients_by_hand(start, step_forward(start))[name].flatten()
    for place in range(len(gradient)):
        ends = []
        for change in (1e-6, -1e-6):
            moved = {**start, name: start[name].clone()}
            moved[name].view(-1)[place] += change
            ends.append(float(step_forward(moved)["L_t"]))
        assert float(gradient[place]) == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


def test_the_step_is_that_of_the_library() -> None:
    from nextchapter.models.elman import ElmanCell

    start = starting_point()
    cell = ElmanCell(4, 3, "tanh").double()
    with torch.no_grad():
        for weight, name in ((cell.input_weight, "W_xh"), (cell.hidden_weight, "W_hh"), (cell.bias, "b_h")):
            weight.copy_(start[name])
        word = torch.eye(4, dtype=torch.float64)[READ]
        hidden, _ = cell.step(word[None], (start["h_{t-1}"][None],))
    assert torch.allclose(hidden[0], step_forward(start)["h_t"])


def test_the_page_shows_both_columns_alike() -> None:
    rows = re.findall(r"^    (?:\S+)? +((?:-?\d\.\d{4} *)+)$", page_text().split("autograd\n")[-1], re.MULTILINE)
    compared = [re.split(r" {5,}", row.strip()) for row in rows]
    assert [ours for ours, theirs in compared if ours.split() != theirs.split()] == []
    assert len(compared) == 16
