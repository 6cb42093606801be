import pytest

from nextchapter.report.wording import bold, counted, duration, listed


@pytest.mark.parametrize(("count", "text"), [(0, "0 runs"), (1, "1 run"), (1200, "1,200 runs")])
def test_one_thing_is_told_from_many(count: int, text: str) -> None:
    assert counted(count, "run") == text


def test_names_are_escaped_and_joined_as_in_a_sentence() -> None:
    assert bold("a<b") == "<b><bdi>a&lt;b</bdi></b>"
    assert listed(["a"]) == bold("a")
    assert listed(["a", "b", "c"]) == f"{bold('a')}, {bold('b')} and {bold('c')}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.024, "0.024 s"), (3.21, "3.2 s"), (89, "89 s"), (90, "1.5 min"), (5399, "90.0 min"), (5400, "1.5 h")],
)
def test_a_time_has_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text
