"""One step of a small Elman network in numbers, every gradient by hand beside autograd's: `docs/models/elman.md`.

    python -m nextchapter.diagnostics.walkthrough

writes the page, from the root of the project.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

PAGE = Path("docs/models/elman.md")
WORDS = ("the", "cat", "sat", "down")
"""The vocabulary; the network reads the second word and is to expect the third."""
READ, NEXT = 1, 2

Numbers = dict[str, Tensor]


def starting_point() -> Numbers:
    """Return the network and the state before the step, in double precision: four words, three hidden units."""
    return {
        "W_xh": _matrix([[0.5, -0.3, 0.1, 0.2], [-0.2, 0.4, 0.3, -0.1], [0.1, 0.6, -0.4, 0.2]]),
        "W_hh": _matrix([[0.4, -0.2, 0.1], [0.3, 0.5, -0.3], [-0.1, 0.2, 0.6]]),
        "b_h": _matrix([0.1, 0.0, -0.1]),
        "W_s": _matrix([[0.2, -0.5, 0.3], [0.4, 0.1, -0.2], [-0.3, 0.6, 0.5], [0.1, -0.2, -0.4]]),
        "b_s": _matrix([0.0, 0.1, 0.0, -0.1]),
        "h_{t-1}": _matrix([0.2, -0.4, 0.5]),
    }


def step_forward(start: Numbers) -> Numbers:
    """Return all that one step computes: input, pre-activation, hidden state, logits, probabilities, loss."""
    x = functional.one_hot(torch.tensor(READ), len(WORDS)).double()
    a = start["W_xh"] @ x + start["W_hh"] @ start["h_{t-1}"] + start["b_h"]
    h = torch.tanh(a)
    z = start["W_s"] @ h + start["b_s"]
    y = torch.exp(z) / torch.exp(z).sum()
    return {"x_t": x, "a_t": a, "h_t": h, "z_t": z, "y_t": y, "L_t": -torch.log(y[NEXT])}


def gradients_by_hand(start: Numbers, step: Numbers) -> Numbers:
    """Return dL_t by everything, from the loss back, by the formulas of the page."""
    target = functional.one_hot(torch.tensor(NEXT), len(WORDS)).double()
    by_logits = step["y_t"] - target
    by_hidden = start["W_s"].T @ by_logits
    by_preactivation = by_hidden * (1 - step["h_t"].square())
    return {
        "z_t": by_logits,
        "W_s": torch.outer(by_logits, step["h_t"]),
        "b_s": by_logits,
        "h_t": by_hidden,
        "a_t": by_preactivation,
        "W_xh": torch.outer(by_preactivation, step["x_t"]),
        "W_hh": torch.outer(by_preactivation, start["h_{t-1}"]),
        "b_h": by_preactivation,
        "h_{t-1}": start["W_hh"].T @ by_preactivation,
    }


def gradients_by_autograd(start: Numbers) -> Numbers:
    """Return the same gradients as torch finds them, which is told the forward step alone."""
    leaves = {name: value.clone().requires_grad_() for name, value in start.items()}
    step = step_forward(leaves)
    wanted = {**leaves, **{name: step[name] for name in ("a_t", "h_t", "z_t")}}
    return dict(zip(wanted, torch.autograd.grad(step["L_t"], list(wanted.values())), strict=True))


def page_text() -> str:
    """Return the page."""
    start = starting_point()
    step = step_forward(start)
    by_hand, by_autograd = gradients_by_hand(start, step), gradients_by_autograd(start)
    before, after = float(by_hand["h_t"].norm()), float(by_hand["h_{t-1}"].norm())
    return _PAGE.format(
        words=", ".join(f"*{word}*" for word in WORDS),
        read=WORDS[READ],
        next=WORDS[NEXT],
        network=_block(start, ("W_xh", "W_hh", "b_h", "W_s", "b_s", "h_{t-1}")),
        column=_spoken(start["W_xh"][:, READ]),
        recurrent=_spoken(start["W_hh"] @ start["h_{t-1}"]),
        forward=_block(step, ("x_t", "a_t", "h_t", "z_t", "y_t", "L_t")),
        chance=f"{float(step['y_t'][NEXT]):.1%}".replace("%", " %"),
        loss=f"{float(step['L_t']):.4f}",
        slopes=_spoken(1 - step["h_t"].square()),
        gradients=_compare(by_hand, by_autograd),
        before=f"{before:.4f}",
        after=f"{after:.4f}",
        factor=f"{after / before:.2f}",
        ten=f"{(after / before) ** 10:.4f}",
    )


def _matrix(values: Sequence[float] | Sequence[Sequence[float]]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _row(values: Tensor) -> str:
    """Return a vector, or a number, in four decimals; zeros have no sign."""
    return " ".join(f"{value + 0.0:8.4f}" for value in values.flatten().round(decimals=4).tolist())


def _spoken(values: Tensor) -> str:
    """Return a vector as it stands in a sentence."""
    return f"({', '.join(_row(values).split())})"


def _lines(name: str, values: Tensor) -> list[str]:
    rows = values.unbind() if values.dim() == 2 else [values]
    return [f"    {name if place == 0 else '':<9}{_row(row)}" for place, row in enumerate(rows)]


def _block(values: Numbers, names: Sequence[str]) -> str:
    return "\n".join(line for name in names for line in _lines(name, values[name]))


def _compare(by_hand: Numbers, by_autograd: Numbers) -> str:
    """Return both lists of gradients, side by side; a matrix has a line a row."""
    lines = [f"    {'dL/d':<9}{'by hand':<37} autograd"]
    for name, values in by_hand.items():
        theirs = _lines(name, by_autograd[name])
        lines += [f"{ours:<50} {line[13:]}" for ours, line in zip(_lines(name, values), theirs, strict=True)]
    return "\n".join(lines)


_PAGE = """\
# elman: the simple recurrent network, one step at a time

Generated by `python -m nextchapter.diagnostics.walkthrough`; do not edit. A test keeps page and program equal.

Elman, *Finding structure in time*, Cognitive Science 14 (1990). The equations, with f = tanh:

    a_t = W_xh x_t + W_hh h_{{t-1}} + b_h          what flows into the hidden units
    h_t = tanh(a_t)                              the hidden state: all that is remembered
    z_t = W_s h_t + b_s                          a logit for each word
    y_t = softmax(z_t)                           a probability for each word
    L_t = -ln y_t[next word]                     the loss, in nats

In the library, `src/nextchapter/models/elman.py`, a learned embedding stands before W_xh, f may be ReLU or sigmoid
(`activation`), and W_s may be the embedding itself (`tied`). Here is the bare network, small enough to follow with a
pocket calculator: four words, {words}; three hidden units. It has just read *{read}*, and
*{next}* comes next.

## The network before the step

{network}

A row of W_xh and W_hh belongs to a hidden unit, a row of W_s to a word. h_{{t-1}} is what is left of the words before.

## Forwards

{forward}

- **x_t** is one-hot: 1 at *{read}*, 0 elsewhere. So W_xh x_t is one column of W_xh, {column}:
  looking a word up.
- **a_t** is that column, plus W_hh h_{{t-1}}, {recurrent}, plus b_h.
- **h_t** squeezes it to between -1 and 1.
- **y_t** sums to 1. The network gives *{next}* a chance of {chance}, so its loss is {loss} nats.

## Backwards

The chain rule, from the loss to the input; e is the one-hot vector of the word that came, * multiplies unit by unit,
and u v^T is the table of all products of a number of u and a number of v:

    dL/dz_t     = y_t - e                        too much expected, too little expected
    dL/dW_s     = dL/dz_t h_t^T                  dL/db_s = dL/dz_t
    dL/dh_t     = W_s^T dL/dz_t
    dL/da_t     = dL/dh_t * (1 - h_t^2)          since tanh' = 1 - tanh^2
    dL/dW_xh    = dL/da_t x_t^T                  dL/db_h = dL/da_t
    dL/dW_hh    = dL/da_t h_{{t-1}}^T
    dL/dh_{{t-1}} = W_hh^T dL/da_t                 goes on to the step before

The slopes 1 - h_t^2 are {slopes}. In numbers (the line z_t is dL/dz_t), beside what
torch's autograd finds for the same step:

{gradients}

Only the column of *{read}* in dL/dW_xh is not zero: a word that was not read learns nothing from this step.

## Why it forgets

The last line is the message to the step before. It was {before} long at h_t and is {after} long at h_{{t-1}}: the
slopes, none of which is above 1, and W_hh^T made {factor} of it. If each step did the same, {ten} of it would be left
after ten steps. That is the vanishing gradient; [the gradient lab](../gradient-lab.md) measures it on the networks of
a study.
"""


def main() -> None:
    """Write the page, from the root of the project."""
    PAGE.write_text(page_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
