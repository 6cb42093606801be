import math
import sys

import pytest

from nextchapter.spec.training import TrainingSpec
from nextchapter.training.schedules import learning_rate


def test_the_learning_rate_rises_to_its_peak_and_falls_by_a_cosine() -> None:
    spec = TrainingSpec(learning_rate=0.5, warmup_steps=10, final_learning_rate_share=0.2)
    rates = [learning_rate(step, 110, 0.0, spec) for step in range(111)]
    assert rates[:10] == pytest.approx([0.05 * step for step in range(1, 11)])
    assert rates[10] == 0.5
    assert rates[60] == pytest.approx(0.5 * (0.2 + 0.8 * 0.5))
    assert rates[35] == pytest.approx(0.5 * (0.2 + 0.8 * (1 + math.cos(math.pi / 4)) / 2))
    assert rates[110] == pytest.approx(0.1)


def test_a_warm_up_longer_than_the_run_is_cut_to_its_half() -> None:
    spec = TrainingSpec(learning_rate=1.0, warmup_steps=1000)
    assert learning_rate(4, 10, 0.0, spec) == 1.0


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_without_a_cosine_the_peak_stays(schedule: str) -> None:
    spec = TrainingSpec(learning_rate=0.5, warmup_steps=2, schedule=schedule)
    assert [learning_rate(step, 100, 0.0, spec) for step in (0, 1, 2, 50, 99, 300)] == [0.25, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_a_clock_drives_the_cosine_and_never_cuts_the_warm_up() -> None:
    spec = TrainingSpec(learning_rate=0.5, warmup_steps=10, final_learning_rate_share=0.2)
    unbounded = sys.maxsize
    assert learning_rate(1, unbounded, 0.9, spec) == pytest.approx(0.1)
    assert learning_rate(10, unbounded, 0.0, spec) == 0.5
    assert learning_rate(500, unbounded, 0.5, spec) == pytest.approx(0.5 * (0.2 + 0.8 * 0.5))
    assert learning_rate(900, unbounded, 1.1, spec) == pytest.approx(0.1)
    assert learning_rate(60, 110, 0.1, spec) == learning_rate(60, 110, 0.0, spec)
