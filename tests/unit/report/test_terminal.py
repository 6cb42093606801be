import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextchapter.report.terminal import ROWS_MAX, WIDTH, Paint, few, field, fit, more, wrap


def columns(text: str) -> int:
    """Return the width by the ranges of the Chinese and Japanese blocks, all that the examples use."""
    return sum(2 if "\u3000" <= sign <= "\u9fff" or "\uff00" <= sign <= "\uff60" else 1 for sign in text)


@given(st.text(st.characters(codec="ascii"), max_size=300) | st.text("红楼梦 第a。", max_size=200))
def test_no_wrapped_line_is_too_long_and_no_sign_steers_the_terminal(text: str) -> None:
    lines = [*wrap(text, 4), *field("name", text)]
    assert all(columns(line) <= WIDTH for line in lines)
    assert all(line.isprintable() for line in lines)


def test_a_field_is_wrapped_under_its_text() -> None:
    lines = field("books", "word " * 40)
    assert lines[0].startswith("  books         word")
    assert len(lines) > 1
    assert all(line.startswith(" " * 16 + "word") for line in lines[1:])


@pytest.mark.parametrize(
    ("text", "width", "cut"),
    [
        ("short", 5, "short"),
        ("longer", 5, "lo..."),
        ("红楼梦", 6, "红楼梦"),
        ("红楼梦梦", 7, "红楼..."),
        ("a\x1b[2Jb", 9, "a [2Jb"),
    ],
)
def test_a_text_is_cut_to_its_columns(text: str, width: int, cut: str) -> None:
    assert fit(text, width) == cut


def test_lists_are_counted_where_they_are_too_long() -> None:
    assert few(["a", "b"]) == "a, b"
    assert few([str(number) for number in range(1_009)], most=3) == "0, 1, 2 and 1,006 more"
    assert more(ROWS_MAX) == []
    assert more(ROWS_MAX + 5) == ["  ... and 5 more"]


def test_colours_are_an_offer() -> None:
    assert Paint(False).bold("x") + Paint(False).gold("x") == "xx"
    assert Paint(True).bold("x") == "\x1b[1mx\x1b[0m"
