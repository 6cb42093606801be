from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nextchapter.report.gradients import draw_clipping, draw_gates, draw_gradients, draw_jacobians, line_styles


def _account(factor: float, gates: dict[str, Any] | None = None) -> dict[str, Any]:
    spectrum = {"singular_values": [1.5, 1.0, 0.0], "spectral_radius": 0.9, "largest_singular_value": 1.5}
    norms = [2 * factor**lag for lag in range(9)]
    return {"norms": norms, "jacobian": [spectrum], "gates": gates or {}}


def _entry(name: str, kind: str, trained: float | None, **gates: Any) -> dict[str, Any]:
    after = None if trained is None else _account(trained, gates)
    return {"name": name, "configuration": name, "kind": kind, "initial": _account(0.5, gates), "trained": after}


RECORD = {
    "lags": 8, "felt_share": 0.01, "shut": 0.1, "open": 0.9,
    "measured": [
        _entry("lstm-384.s1", "lstm", 0.9, forget={"shut": 0.2, "open": 0.3}),
        _entry("elman-384.s1", "elman", 0.4), _entry("Elman, ReLU", "elman", None),
    ],
    "clipping": {
        "steps": 3, "clip_norm": 1.0,
        "plain": {"gradient_norm": [400.0, 20000.0, None], "loss_nats": [19.0, 240.0, None], "failed_at": 3},
        "clipped": {"gradient_norm": [400.0, 90.0, 2.0], "loss_nats": [19.0, 9.0, 7.0], "failed_at": None},
    },
}  # fmt: skip
DRAWINGS = [draw_gradients, draw_jacobians, draw_gates, draw_clipping]


@pytest.fixture
def record() -> dict[str, Any]:
    return deepcopy(RECORD)


def test_gradients_are_drawn_as_shares_of_lag_0(record: dict[str, Any]) -> None:
    before, after = draw_gradients(record).axes
    curves = [line.get_ydata() for line in after.lines if len(line.get_ydata()) == 9]
    assert np.allclose(curves, [0.9 ** np.arange(9), 0.4 ** np.arange(9)])
    assert len([line for line in before.lines if len(line.get_ydata()) == 9]) == 3
    assert before.get_yscale() == "log"


def test_an_exploding_gradient_stays_in_the_picture_up_to_a_limit(record: dict[str, Any]) -> None:
    for factor, top in ((2.0, 1.5 * 2**8), (10.0, 1e3)):
        record["measured"][0]["trained"] = _account(factor)
        assert draw_gradients(record).axes[0].get_ylim()[1] == pytest.approx(top)


def test_gates_are_bars_of_three_parts(record: dict[str, Any]) -> None:
    for axes in draw_gates(record).axes:
        assert [round(bar.get_width(), 9) for bar in axes.patches] == [0.2, 0.5, 0.3]


def test_a_training_that_fails_ends_and_says_where(record: dict[str, Any]) -> None:
    above, below = draw_clipping(record).axes
    assert np.isnan(above.lines[0].get_ydata()[-1])
    assert [text.get_text() for text in below.texts] == ["step 3: no number any more"]


def test_seeds_of_one_configuration_share_a_line_and_no_two_others_do() -> None:
    entries = [
        {"name": f"{kind}-{number}.s{seed}", "configuration": f"{kind}-{number}", "kind": kind}
        for kind in ("elman", "gru", "lstm", "mogrifier", "slstm")
        for number in range(3)
        for seed in (1, 2)
    ]
    styles = {name: (style["color"], style["linestyle"]) for name, style in line_styles(entries).items()}
    assert styles["gru-1.s1"] == styles["gru-1.s2"]
    assert len(set(styles.values())) == 15


@pytest.mark.usefixtures("in_style")
@pytest.mark.parametrize("draw", DRAWINGS)
@pytest.mark.parametrize("count", [0, 3, 12])
def test_no_text_is_cut_off(
    draw: Callable[[Any], Figure], count: int, record: dict[str, Any], texts_outside: Callable[[Figure], list[str]]
) -> None:
    gates = {name: {"shut": 0.2, "open": 0.3} for name in ("input", "forget", "output")}
    entries = [_entry(f"a-network-with-a-very-long-name-{place}.s1", "lstm", 0.9, **gates) for place in range(count)]
    record["measured"] = entries
    assert texts_outside(draw(record)) == []


@pytest.mark.parametrize("draw", DRAWINGS)
def test_networks_without_any_gradient_are_drawn(draw: Callable[[Any], Figure], record: dict[str, Any]) -> None:
    for moment in ("initial", "trained"):
        record["measured"][0][moment] |= {"norms": [0.0] * 9, "jacobian": [], "gates": {}}
    record["clipping"]["clipped"] |= {"gradient_norm": [0.0, 0.0], "loss_nats": [0.0, 0.0]}
    draw(record).draw_without_rendering()
